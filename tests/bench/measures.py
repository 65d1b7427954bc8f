"""How the matcher is measured in one process, and what its rows consist of."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from heapq import nsmallest
from itertools import cycle, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, TypeVar

from deploy.demo.latency import percentile
from services.matcher import store
from services.matcher.domain import Index, Policy
from services.matcher.domain.bodies import PostingBody, ProfileBody
from services.matcher.domain.ties import Ties
from services.matcher.handlers.changes import changes
from shared.contracts.envelope import event_headers
from shared.contracts.postings import Posting, PostingPublished
from shared.contracts.profiles import Profile, ProfileRegistered
from shared.contracts.recommendations import LIST_SIZE, AnchorKind
from shared.contracts.registry import POSTINGS, PROFILES
from tests.bench.peers import Peer
from tests.bench.workload import NOW, Workload
from tests.oracle.oracle import judge
from tests.oracle.sides import Person, Work

T = TypeVar("T")
Answers = dict[str, list[str]]
"""By anchor: the ids on its list."""
Advance = Callable[[int], None]
"""Told how many more are done."""

BATCH: Final = 200
"""Updates that are taken in together, as the service takes in what it has fetched."""
RECORDS: Final = 500
TICK_S: Final = 0.05


class Matcher:
    """The index, and nothing around it."""

    name = "matcher"
    how = "in process, one thread; bytes resident, id maps included"

    def __init__(self, policy: Policy, ties: Ties, grown: Mapping[AnchorKind, float], note: str = "") -> None:
        """`grown`: bytes of one more of each; the caller sees them grow."""
        self.index = Index(policy, ties)
        self.note = note
        self._grown = grown
        self._last: dict[AnchorKind, str] = {}

    def take_in(self, changed: Iterable[Posting | Profile | PostingBody | ProfileBody]) -> None:
        """Take in, and ask about the last pair: an index that puts work off until it is asked does it here."""
        for one in changed:
            if isinstance(one, Posting | PostingBody):
                newer = self.index.upsert_posting(one)
                self._last[AnchorKind.POSTING] = one.id
            else:
                newer = self.index.upsert_profile(one)
                self._last[AnchorKind.SEEKER] = one.id
            if not newer:
                raise SystemExit(f"{one.id} is not newer: nothing was measured")
        self.ask_pair()

    def ask_pair(self) -> None:
        """The smallest question: about the posting and the seeker that were taken in last."""
        if len(self._last) == len(AnchorKind):
            self.index.judge(self._last[AnchorKind.POSTING], self._last[AnchorKind.SEEKER], NOW)
        else:  # the list of somebody for whom there is nobody yet
            for kind, name in self._last.items():
                self.index.top(kind, name, NOW)

    def top(self, kind: AnchorKind, anchor_id: str) -> list[str]:
        """As `Index.top`."""
        return [one.id for one in self.index.top(kind, anchor_id, NOW)]

    def size(self, kind: AnchorKind) -> float:
        """As it was told."""
        return self._grown[kind]


@dataclass(frozen=True)
class Asked:
    """Questions of one kind, their times and answers."""

    milliseconds: list[float]
    answers: Answers

    def percentile(self, percent: int) -> float:
        """Milliseconds."""
        return round(percentile(self.milliseconds, percent), 3)

    @property
    def entries(self) -> float:
        """Mean length of a list."""
        return round(sum(map(len, self.answers.values())) / max(len(self.answers), 1), 1)


def resident() -> int:
    """Bytes of memory that this process occupies, without garbage."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


def load(peer: Peer, made: Iterable[Posting | Profile], advance: Advance) -> float:
    """Takes all of it in; gives the seconds, without those of making it."""
    seconds, rest = 0.0, iter(made)
    while chunk := list(islice(rest, RECORDS)):
        started = time.perf_counter()
        peer.take_in(chunk)
        seconds += time.perf_counter() - started
        advance(len(chunk))
    return seconds


def ask(peer: Peer, kind: AnchorKind, anchors: Sequence[str], advance: Advance) -> Asked:
    """Each anchor's list, after some questions to get warm."""
    for anchor in anchors[:20]:
        peer.top(kind, anchor)
    times: list[float] = []
    answers: Answers = {}
    for anchor in anchors:
        started = time.perf_counter()
        answers[anchor] = peer.top(kind, anchor)
        times.append((time.perf_counter() - started) * 1000)
        advance(1)
    return Asked(times, answers)


def update_us(peer: Peer, changed: Iterable[Posting | Profile]) -> float:
    """Microseconds each, taken in by batches, until a question has seen them: the median batch.

    The matcher takes what its reader has decoded (`decoded`), the others the models.
    """
    times, rest = [], iter(changed)
    while models := list(islice(rest, BATCH)):
        batch: Any = decoded(models) if isinstance(peer, Matcher) else models
        started = time.perf_counter()
        peer.take_in(batch)
        times.append((time.perf_counter() - started) / len(batch) * 1e6)
    return round(percentile(times, 50), 2)


def decoded(models: Iterable[Posting | Profile]) -> list[PostingBody | ProfileBody]:
    """As the service's reader hands them to the index."""
    bodies = [change.body for change in changes(map(_record, models))]
    return [body for body in bodies if isinstance(body, PostingBody | ProfileBody)]


def single_update_us(matcher: Matcher, changed: Iterable[Posting | Profile]) -> dict[str, float]:
    """Microseconds of one at a time until a question sees it, without the question itself."""
    times = []
    for one in decoded(changed):
        started = time.perf_counter()
        matcher.take_in((one,))
        seen = time.perf_counter()
        matcher.ask_pair()
        times.append((2 * seen - started - time.perf_counter()) * 1e6)
    return {f"p{percent}_us": round(percentile(times, percent), 2) for percent in (50, 99)}


def ask_while_updating(
    matcher: Matcher, kind: AnchorKind, anchors: Sequence[str], batches: Iterator[Sequence[Posting | Profile]]
) -> tuple[Asked, float, float]:
    """Questions one after another, in between a batch every TICK_S until there are no more.

    A question's time counts from the end of the one before, so it waits for the batches that are due, as it would
    for the service's lock. Gives also the updates a second that there really were, and the share of time that
    taking them in took.
    """
    times: list[float] = []
    answers: Answers = {}
    updates, updating = 0, 0.0
    began = due = time.perf_counter()
    for anchor in cycle(anchors):
        arrived = started = time.perf_counter()
        while started >= due:
            batch = next(batches, None)
            if batch is None:
                lasted = arrived - began
                return Asked(times, answers), round(updates / lasted, 1), round(updating / lasted, 4)
            matcher.take_in(batch)
            due += TICK_S
            updates += len(batch)
            updating += time.perf_counter() - started
            started = time.perf_counter()
        answers[anchor] = matcher.top(kind, anchor)
        times.append((time.perf_counter() - arrived) * 1000)
    raise ValueError("no anchors")


def share_passing(index: Index, posting_id: str, seekers: Iterable[str]) -> float:
    """Percent of these seekers who pass all gates of the posting."""
    judged = [index.judge(posting_id, seeker, NOW) for seeker in seekers]
    passed = sum(found is not None and not found.failed for found in judged)
    return round(100 * passed / len(judged), 3)


def snapshot(index: Index, policy: Policy, path: Path, anchors: Sequence[str]) -> dict[str, float]:
    """Seconds to copy, write and read all of it. Raises SystemExit if what was read answers otherwise."""
    at = [time.perf_counter()]
    taken = store.capture(index, store.Mark(created_at=NOW, offsets={POSTINGS: (0,), PROFILES: (0,)}))
    at.append(time.perf_counter())
    store.write(path, taken)
    del taken
    at.append(time.perf_counter())
    found = store.read(path, policy, index.ties, NOW, timedelta(days=1))
    at.append(time.perf_counter())
    kind = AnchorKind.POSTING
    if found is None or any(index.top(kind, one, NOW) != found[0].top(kind, one, NOW) for one in anchors):
        raise SystemExit("the index that was read from the snapshot answers otherwise than the one that was written")
    names = ("capture_s", "write_s", "read_s")
    seconds = {name: round(end - start, 2) for name, start, end in zip(names, at, at[1:], strict=False)}
    return seconds | {"megabytes": round(path.stat().st_size / 1e6, 1)}


def rebuild(policy: Policy, ties: Ties, made: Sequence[Posting | Profile], total: int) -> dict[str, float]:
    """Microseconds to decode and to index a record as it lies on its topic; seconds for `total`, extrapolated.

    `made` has postings and profiles in the proportion of the whole.
    """
    index, records = Index(policy, ties), [_record(one) for one in made]
    decoding = indexing = 0.0
    for start in range(0, len(records), RECORDS):
        began = time.perf_counter()
        bodies = [change.body for change in changes(records[start : start + RECORDS])]
        decoded = time.perf_counter()
        for body in bodies:
            if isinstance(body, PostingBody):
                index.upsert_posting(body)
            elif isinstance(body, ProfileBody):
                index.upsert_profile(body)
        index.flush()
        decoding, indexing = decoding + decoded - began, indexing + time.perf_counter() - decoded
    return {
        "sample": len(records),
        "bytes_per_record": round(sum(len(record.value) for record in records) / len(records)),
        "decode_us": round(decoding / len(records) * 1e6, 2),
        "index_us": round(indexing / len(records) * 1e6, 2),
        "extrapolated_to": total,
        "extrapolated_s": round((decoding + indexing) / len(records) * total, 1),
    }


def _record(one: Posting | Profile) -> Any:  # noqa: ANN401 - like aiokafka's record
    topic, event = (POSTINGS, PostingPublished) if isinstance(one, Posting) else (PROFILES, ProfileRegistered)
    headers = event_headers(
        source="urn:service:bench",
        event_type=event.__name__,
        subject=one.id,
        topic_family=topic,
        version=one.version,
        time=NOW,
    )
    raw: list[tuple[str, bytes | None]] = [(name, value.encode()) for name, value in headers.items()]
    value = one.model_dump_json(exclude_defaults=True).encode()
    named = {"topic": topic, "partition": 0, "offset": 0, "timestamp": int(NOW.timestamp() * 1000)}
    return SimpleNamespace(key=one.id.encode(), value=value, headers=tuple(raw), **named)


def exact(
    workload: Workload, kind: AnchorKind, wanted: frozenset[str], size: tuple[int, int], advance: Advance
) -> Answers:
    """What the oracle answers to these anchors among so many postings and profiles, of which it reads one by one."""
    postings, profiles = size
    works = (Work(one.model_dump(mode="json")) for one in workload.postings(0, postings))
    people = (Person(one.model_dump(mode="json")) for one in workload.profiles(0, profiles))
    found: dict[str, list[tuple[int, str]]] = {anchor: [] for anchor in wanted}
    if kind is AnchorKind.POSTING:
        asked = [work for work in works if work.id in wanted]
        pairs = ((work, person, work.id, person.id) for person in counted(people, advance) for work in asked)
    else:
        askers = [person for person in people if person.id in wanted]
        pairs = ((work, person, person.id, work.id) for work in counted(works, advance) for person in askers)
    for work, person, anchor, other in pairs:
        entry = judge(work, person, NOW)
        if entry is not None:
            found[anchor].append((-entry["points"], other))
    return {anchor: [name for _, name in nsmallest(LIST_SIZE, entries)] for anchor, entries in found.items()}


def counted(items: Iterable[T], advance: Advance) -> Iterator[T]:
    """As they come, each told of."""
    for item in items:
        yield item
        advance(1)


def recall(answers: Answers, right: Answers) -> float:
    """Of all entries that the right lists have, the share that the answers have too."""
    hits = sum(len({*names} & {*answers[anchor]}) for anchor, names in right.items())
    return round(hits / max(sum(map(len, right.values())), 1), 4)
