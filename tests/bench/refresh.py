"""What refreshing at scale does to live events: `make bench-refresh`.

On real servers with the four services as processes, single events come at a steady rate all the time (postings
of a small partner that change, and seekers who register). Meanwhile a large employer closes thousands of postings
at once, through the topic of another partner, and then another matching policy is set. An event's time runs from
HTTP's answer or Kafka's acknowledgement until notifications has stored its list (`deploy.demo.latency`).

Prints and writes `out/bench/refresh.json`: for each phase p50 and p99 of the live events, the same by the stages of
their way (`tests.bench.stages`), and how long the refreshing took. Live events share processes and, here, cores with
what makes the closings known, so the phase in which the closings are still being taken in is told apart from the one
in which lists are only refreshed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from pymongo import AsyncMongoClient
from rich.console import Console

from deploy.demo import latency
from deploy.demo.front import Front
from deploy.demo.lists import StoredLists
from deploy.demo.material import Material, Size, season_material
from deploy.demo.partner import Partner
from deploy.demo.season import PartnerPosting, make_season
from deploy.processes import SERVICES, Platform
from deploy.servers import PROJECT, running_servers
from services.matcher.domain.policy import CURRENT
from services.matcher.policies import put
from services.matcher.settings import MatcherSettings
from services.notifications.store.rows import unpack
from tests.bench.machine import commit, machine
from tests.bench.season import SETTINGS
from tests.bench.stages import Stages, summary

OUT = PROJECT / "out" / "bench" / "refresh.json"
LIVE = "live"
"""The partner whose postings change one by one."""
LIVE_POSTINGS = 200
AT_ONCE = 1_000
"""Records published, or seekers imported, together."""
STAGES_S = 1.0
"""So late may the list topics be read."""
WINDOW_S = 5.0
"""Live events are measured in stretches of so long, until the phase is over."""
MORE_SEEKERS = 100_000
"""As many as could register in the longest run; made as they are asked for."""
GIVE_UP_S = 1_800.0


@dataclass
class Live:
    """Single events, one after another, for as long as a phase lasts."""

    partner: Partner
    front: Front
    lists: StoredLists
    stages: Stages
    seekers: Iterator[bytes]
    material: Material
    rate: float
    postings: list[PartnerPosting] = field(default_factory=list)
    missing: int = 0
    _turn: int = 0

    async def publish(self, at: datetime) -> None:
        """The postings that are going to change; returns when all have their receipts."""
        self.postings = list(make_season(2, LIVE_POSTINGS, 0, at).postings)
        await self.partner.publish(self.postings)
        while self.partner.missing():  # noqa: ASYNC110 - receipts are read meanwhile
            await asyncio.sleep(0.1)

    def _changes(self, count: int) -> list[latency.Change]:
        made = []
        for _ in range(count):
            place = self._turn % len(self.postings)
            self._turn += 1
            posting = self.postings[place] = self.material.changed(self.postings[place])
            receipt = self.partner.receipts[posting.id]
            # each is changed once in many windows: its receipt has long come
            version = (receipt.version or 0) + 1
            made.append(latency.Change(posting, str(receipt.posting_id), version))
        return made

    async def window(self) -> latency.Latency:
        """The events of one stretch."""
        count = int(self.rate * WINDOW_S / 2)
        changes, seekers = self._changes(count), list(islice(self.seekers, count))
        found = await latency.measure(self.partner, self.front, self.lists, changes, seekers, rate=self.rate)
        self.missing += len(found.missing)
        return found

    async def phase(self, over: Callable[[], Awaitable[bool]]) -> dict[str, Any]:
        """Events until that is so, at least for one stretch: percentiles and seconds."""
        times: dict[str, list[float]] = {"posting": [], "seeker": []}
        moments: dict[str, tuple[int, float, float]] = {}
        started, ended = time.monotonic(), asyncio.create_task(_when(over))
        while not ended.done() or not times["seeker"]:
            found = await self.window()
            for kind, own in found.milliseconds.items():
                times[kind] += own
            moments |= found.moments
        at = await ended
        await asyncio.sleep(STAGES_S)
        result = {
            "seconds": round(at - started, 1),
            **summary([one for kind in times.values() for one in kind]),
            "by_kind": {kind: summary(own) for kind, own in times.items() if own},
            "by_stage": {
                kind: {stage: summary(own) for stage, own in self.stages.of(part).items() if own}
                for kind in times
                if (part := {one: when for one, when in moments.items() if one.startswith(kind)})
            },
        }
        print(json.dumps(result), flush=True)
        return result


async def _when(over: Callable[[], Awaitable[bool]]) -> float:
    """The moment at which that is so. Raises SystemExit if it never comes."""
    deadline = time.monotonic() + GIVE_UP_S
    while not await over():
        if time.monotonic() > deadline:
            raise SystemExit(f"not over after {GIVE_UP_S:.0f} s")
        await asyncio.sleep(0.25)
    return time.monotonic()


@dataclass(frozen=True)
class Matcher:
    """What the matcher says of itself."""

    client: httpx.AsyncClient
    url: str

    async def metric(self, name: str, *labels: str) -> float:
        """The sum of a metric over all of its lines that have these labels (`cause="refresh"`)."""
        text = (await self.client.get(f"{self.url}/metrics")).text
        lines = [line for line in text.splitlines() if re.match(rf"{name}[{{ ]", line)]
        return sum(float(line.rpartition(" ")[2]) for line in lines if all(label in line for label in labels))

    async def rested(self) -> bool:
        """Nothing waits to be refreshed."""
        return await self.metric("refresh_queue") == 0

    async def refreshed(self) -> int:
        """Lists written so far that no event asked for."""
        return int(await self.metric("lists_written_total", 'cause="refresh"'))


class Stored:
    """Notifications' lists, counted from outside."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        self._lists = client["notifications"]["lists"]

    async def naming(self, postings: list[str]) -> int:
        """Lists that name one of these postings."""
        closed = frozenset(postings)
        rows = self._lists.find({"_id": {"$regex": "^seeker:"}}, {"entries": 1})
        return sum([any(one.id in closed for one in unpack(row["entries"])) async for row in rows])


def of_one_employer(postings: Iterator[PartnerPosting], count: int) -> Iterator[PartnerPosting]:
    """The same postings; the first so many belong to one employer."""
    for posting in islice(postings, count):
        body = json.loads(posting.body) | {"employer_reference": "large", "employer_name": "示例 Example Large Ltd."}
        yield PartnerPosting(posting.id, json.dumps(body, ensure_ascii=False).encode())
    yield from postings


def other_policy() -> str:
    """The packaged policy with a higher minimum: a key rule that concerns every list."""
    text = re.sub(r"(?m)^version = .*$", 'version = "bench.1"', CURRENT.read_text("utf-8"), count=1)
    return re.sub(r"(?m)^minimum = (\d+)$", lambda found: f"minimum = {int(found[1]) + 50}", text, count=1)


async def fill(front: Front, partner: Partner, lists: StoredLists, matcher: Matcher, material: Material) -> None:
    """All postings, and then all seekers: so seekers' lists hold postings. Returns when every list is stored."""
    size, postings = material.size, islice(material.postings, material.size.postings)
    while chunk := list(islice(postings, AT_ONCE)):
        await partner.publish(chunk)

    async def known() -> bool:
        return await matcher.metric("index_rows", 'kind="posting"') >= size.postings

    async def stored() -> bool:
        return await lists.count() >= size.postings + size.seekers and not partner.missing()

    await _when(known)
    seekers = islice(material.seekers, size.seekers)
    while lines := list(islice(seekers, AT_ONCE)):
        await front.import_seekers(lines)
    await _when(stored)


async def measure(
    live: Live, partner: Partner, matcher: Matcher, stored: Stored, given: argparse.Namespace
) -> dict[str, Any]:
    """The phases, in turn."""

    async def rest() -> bool:
        return time.monotonic() > until

    until: float = time.monotonic() + given.seconds
    result: dict[str, Any] = {"before": await live.phase(rest)}

    rows, written = await matcher.metric("index_rows", 'kind="posting"'), await matcher.refreshed()
    closed = [receipt for _, receipt in zip(range(given.closed), partner.receipts.values(), strict=False)]
    ids = [str(receipt.posting_id) for receipt in closed]
    naming = await stored.naming(ids)
    removals = [_removal(str(receipt.partner_posting_id)) for receipt in closed]
    await partner.publish(removals)

    async def taken() -> bool:
        return not partner.missing() and await matcher.metric("index_rows", 'kind="posting"') <= rows - len(closed)

    result["closings_taken_in"] = await live.phase(taken)
    result["refresh_after_closings"] = await live.phase(matcher.rested)
    result["refresh_after_closings"] |= {"lists": await matcher.refreshed() - written, "lists_to_mend": naming}
    await asyncio.sleep(given.rest)  # what is written last is stored
    if wrong := await stored.naming(ids):
        raise SystemExit(f"{wrong} lists still name a closed posting")

    until, written = time.monotonic() + given.seconds, await matcher.refreshed()
    result["between"] = await live.phase(rest)

    settings = MatcherSettings(kafka_bootstrap=given.kafka)
    await put(settings, lambda history: history.setting(other_policy(), datetime.now(UTC), "bench"))

    async def followed() -> bool:
        return await matcher.metric("matching_policy_revision") > 1 and await matcher.rested()

    result["refresh_after_policy"] = await live.phase(followed)
    result["refresh_after_policy"]["lists"] = await matcher.refreshed() - written

    until = time.monotonic() + given.seconds
    result["after"] = await live.phase(rest)
    return result


def _removal(posting_id: str) -> PartnerPosting:
    body = {"id": posting_id, "sequence": 2, "changed_at": datetime.now(UTC).isoformat()}
    return PartnerPosting(posting_id, json.dumps(body).encode(), "PartnerPostingRemoved")


async def run(given: argparse.Namespace, root: Path) -> dict[str, Any]:
    """All of it."""
    at = datetime.now(UTC)
    made = season_material(Size(given.postings, given.seekers), 1, MORE_SEEKERS, at)
    material = replace(made, postings=of_one_employer(made.postings, given.closed))
    with running_servers(root / "servers") as servers, Platform(servers.addresses, root, env=SETTINGS) as platform:
        platform.start_all()
        given.kafka = servers.addresses.kafka
        urls = {name: platform[name].url for name in SERVICES}
        async with (
            Front(urls, root / "keys") as front,
            StoredLists(servers.addresses.mongo) as lists,
            httpx.AsyncClient(timeout=30) as client,
            AsyncMongoClient[dict[str, Any]](servers.addresses.mongo) as mongo,
        ):
            for partner_id in (material.partner, LIVE):
                await front.put("operator", "operator", "postings", f"/partners/{partner_id}", {"name": "bench"})
            matcher = Matcher(client, urls["matcher"])
            async with (
                Partner(servers.addresses.kafka, material.partner) as partner,
                Partner(servers.addresses.kafka, LIVE) as small,
                Stages(servers.addresses.kafka) as stages,
            ):
                await fill(front, partner, lists, matcher, material)
                live = Live(small, front, lists, stages, material.seekers, material, given.rate)
                await live.publish(at)
                await _when(matcher.rested)
                await asyncio.sleep(given.rest)
                stock = asdict(await lists.stock())
                result = await measure(live, partner, matcher, Stored(mongo), given)
    if live.missing:
        raise SystemExit(f"{live.missing} lists of live events did not come")
    quiet = result["before"]["p99"]
    delays = {name: round(phase["p99"] - quiet, 1) for name, phase in result.items() if name != "before"}
    return {"stock": stock, "phases": result, "p99_above_before_ms": delays, "servers": servers.kind}


def main() -> int:
    """Run, print, write."""
    options = argparse.ArgumentParser(prog="make bench-refresh", description=__doc__)
    options.add_argument("--postings", type=int, default=20_000)
    options.add_argument("--seekers", type=int, default=12_000)
    options.add_argument("--closed", type=int, default=5_000, help="postings that one employer closes at once")
    options.add_argument("--rate", type=float, default=20.0, help="live events a second")
    options.add_argument("--seconds", type=float, default=30.0, help="how long before, between and after")
    options.add_argument("--rest", type=float, default=10.0, help="seconds of rest before the first phase")
    given = options.parse_args()
    console, about = Console(), machine()
    console.print(about)
    settings: dict[str, Any] = dict(vars(given))
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        result = asyncio.run(run(given, Path(root)))
    own = MatcherSettings()
    settings |= own.model_dump(include={"refresh_s", "refresh_share", "refresh_per_s"}) | {"services": SETTINGS["*"]}
    result |= {"machine": about, "settings": settings | {"commit": commit()}}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    console.print_json(data=result)
    console.print(f"written to {OUT.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
