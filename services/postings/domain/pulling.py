"""Feeds that are fetched from a partner: what to ask for, how far one has come, when to ask again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.postings.domain.forms import JOBTECH, form_of, is_structured
from services.postings.domain.jobtech import YEARS, order_in
from services.postings.domain.ordering import Basis
from shared.contracts.common import Instant, Texts

if TYPE_CHECKING:
    from collections.abc import Mapping

SINCE: Final = timedelta(days=180)
"""How far back a feed is read at first: what is older and has no end would have expired here."""
KNOWN: Final = 50_000
"""Most records that are remembered as fetched, eight bytes each; what is beyond is sent again, and unchanged."""
DIGEST: Final = 8
_FIRST_WAIT_S: Final = 30.0
_LONGEST_WAIT_S: Final = 3600.0
_LONGEST_ASKED_S: Final = 86_400.0


def _zone(name: str) -> str:
    if name not in available_timezones():
        message = f"{name} is no time zone of IANA's: write it like Asia/Shanghai"
        raise ValueError(message)
    return name


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class Pull(_Part):
    """A feed of changes, as JobTech's stream: asked for what changed since a time, it answers with ads and removals."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    """Where it is, with what else it is to be asked for (filters) in its query. https, without user and password."""
    every_s: Annotated[int, Field(ge=10, le=86_400)] = 300
    """Seconds between two fetches."""
    parameter: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "date"
    """The query's parameter that takes the time since when."""
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """The time zone in which the feed reads that time, for it has no offset."""
    overlap_s: Annotated[int, Field(ge=0, le=604_800)] = 3600
    """Each fetch begins so long before the newest record of those before: a feed may show a record late."""
    since: Instant | None = None
    """What changed before is not fetched. Without it: 180 days before the first fetch."""


class PullTrouble(_Part):
    """Why the last fetch failed."""

    code: str
    """Stable, for programs, for example `throttled`."""
    reason: Texts
    """What is wrong, and what to do."""
    since: Instant
    """The first fetch that failed, of those without one between them that did not."""


class PullStatus(_Part):
    """How the fetching of a partner's feed stands."""

    url: str
    every_s: int
    fetched_at: Instant | None = None
    """When the last fetch began, whatever became of it."""
    next_at: Instant | None = None
    """When the next is due; null if none is: the partner may not write, or the fetching was stopped (`trouble`)."""
    newest: Instant | None = None
    """The time of the newest record that was fetched."""
    records: int = 0
    """Of the last fetch that succeeded: those written to the partner's topic."""
    known: int = 0
    """Those left out because they were fetched before."""
    refused: int = 0
    """Those that could not be written: no JSON, or larger than 1 MiB."""
    trouble: PullTrouble | None = None


class PullState(_Part):
    """How far a feed has come. It holds for the terms under which it was fetched."""

    url: str
    cursor: Instant
    """The time of the newest record that Kafka has; at first, since when to fetch."""
    newest: Instant | None = None
    known: bytes = b""
    """Digests of the records in the overlap that Kafka has, 8 bytes each."""
    asked: str = ""
    """The address that was asked last, for which `etag` and `modified` hold."""
    etag: str = ""
    modified: str = ""
    next_at: Instant
    failures: int = 0
    """Since the last fetch that succeeded."""
    stopped: bool = False
    """Only an operator has it go on."""
    fetched_at: Instant | None = None
    records: int = 0
    repeated: int = 0
    refused: int = 0
    trouble: PullTrouble | None = None


def begun(pull: Pull, now: datetime) -> PullState:
    """The state of a feed that was never fetched: due at once."""
    return PullState(url=pull.url, cursor=pull.since or now - SINCE, next_at=now)


def status_of(pull: Pull, state: PullState | None, *, active: bool) -> PullStatus:
    """What partner and operator read of it."""
    if state is None or state.url != pull.url:
        return PullStatus(url=pull.url, every_s=pull.every_s)
    return PullStatus(
        url=pull.url,
        every_s=pull.every_s,
        fetched_at=state.fetched_at,
        next_at=state.next_at if active and not state.stopped else None,
        newest=state.newest,
        records=state.records,
        known=state.repeated,
        refused=state.refused,
        trouble=state.trouble,
    )


def address(pull: Pull, state: PullState) -> str:
    """What to ask: everything since the overlap before the cursor, in whole seconds."""
    instant = state.cursor - timedelta(seconds=pull.overlap_s if state.newest else 0)
    local = instant.astimezone(ZoneInfo(pull.zone))
    # when clocks go back an hour comes twice, and nobody can tell which of them is meant: ask from before it
    again = local.replace(fold=1 - local.fold)
    if again.utcoffset() != local.utcoffset():
        local = (instant - timedelta(hours=1)).astimezone(ZoneInfo(pull.zone))
    time = local.replace(tzinfo=None, microsecond=0).isoformat()
    parts = urlsplit(pull.url)
    query = [one for one in parse_qsl(parts.query, keep_blank_values=True) if one[0] != pull.parameter]
    return parts._replace(query=urlencode([*query, (pull.parameter, time)]), fragment="").geturl()


def conditions(state: PullState, asked: str) -> dict[str, str]:
    """Request headers: only what is new, if this very address was asked last."""
    if asked != state.asked:
        return {}
    given = {"if-none-match": state.etag, "if-modified-since": state.modified}
    return {name: value for name, value in given.items() if value}


def changed_at(body: object) -> datetime | None:
    """The time that a record gives for its change; None if it gives none that can be read."""
    if isinstance(body, dict) and is_structured(body):
        body = body["data"]
    if not isinstance(body, dict):
        return None
    if form_of(body) is JOBTECH:
        order = order_in(body)
        return datetime.fromtimestamp(order.value / 1_000_000, UTC) if order.basis is Basis.TIME else None
    try:
        moment = datetime.fromisoformat(str(body.get("changed_at") or body.get("dateModified")))
        moment = (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in YEARS else None


class Seen:
    """What a fetch has seen so far: the newest time, and which records the next fetch will see again."""

    def __init__(self, state: PullState, now: datetime, overlap_s: int) -> None:
        self.newest = state.newest
        """Never after the fetch began: a record from the future must not hide those of the present."""
        self._now = now
        self._overlap = timedelta(seconds=overlap_s + 1)
        self._before = {state.known[at : at + DIGEST] for at in range(0, len(state.known), DIGEST)}
        self._times: list[tuple[datetime, bytes]] = []

    def is_known(self, digest: bytes, time: datetime | None) -> bool:
        """True for a record that Kafka has from the fetch before. Of one without a time nobody can tell."""
        if time is None:
            return False
        time = min(time, self._now)
        self.newest = time if self.newest is None else max(self.newest, time)
        self._times.append((time, digest))
        if len(self._times) > 2 * KNOWN:
            self._times = sorted(self._times)[-KNOWN:]
        return digest in self._before

    def known(self) -> bytes:
        """Digests for the next fetch, all of records that Kafka has by then."""
        if self.newest is None:
            return b""
        begin = self.newest - self._overlap
        return b"".join([digest for time, digest in sorted(self._times) if time >= begin][-KNOWN:])


def succeeded(state: PullState, pull: Pull, now: datetime, chance: float, **more: object) -> PullState:
    """After a fetch that came to its end. `chance`: 0 to 1, so that feeds are not all asked in one moment."""
    wait = pull.every_s * (0.95 + chance / 10)
    ended = {"failures": 0, "trouble": None, "stopped": False, "next_at": now + timedelta(seconds=wait)}
    return state.model_copy(update={**ended, **more})


def failed(
    state: PullState, trouble: PullTrouble, now: datetime, chance: float, *, stop: bool, after_s: float | None
) -> PullState:
    """After a fetch that failed: asked again after 30 s, then twice as long each time, up to an hour; less by chance.

    `after_s`: the other side asks for so much time, of which it gets a day at most.
    """
    wait = min(_FIRST_WAIT_S * 2 ** min(state.failures, 10), _LONGEST_WAIT_S) * (0.5 + chance / 2)
    wait = max(wait, min(after_s or 0, _LONGEST_ASKED_S))
    if state.trouble is not None:
        trouble = trouble.model_copy(update={"since": state.trouble.since})
    next_at = now + timedelta(seconds=wait)
    return state.model_copy(
        update={"failures": state.failures + 1, "trouble": trouble, "stopped": stop, "next_at": next_at}
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the other side asks for (RFC 9110, 10.2.3); None if it does not, or nobody can read it."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds())
