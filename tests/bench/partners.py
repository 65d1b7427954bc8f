"""How fast partners' records are taken in, and what one partner's flood does to another: `make bench-partners`.

On real servers with the postings service as one process and no matcher, all on this machine with what sends and
reads. The records are the real JobTech ads of `../shared/data`, with other ids and with deadlines that lie ahead:

1. 79,000 whose texts the service has read before (710 different ones), as when a feed is sent again by another way;
2. as many, each with a text of its own, so that each is read for an occupation and skills;
3. 20,000 of one partner at once while another sends 20 a second, whose receipts are timed.

A record's time runs from the moment it is sent until its receipt is read from Kafka. Prints and writes
`out/bench/partners.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any, Final, Self

import uvloop
from aiokafka import TopicPartition
from rich.console import Console

from deploy.demo import latency
from deploy.demo.front import Front
from deploy.processes import Platform
from deploy.servers import PROJECT, running_servers
from shared.broker import Outgoing, Producer, reader
from shared.contracts.envelope import event_headers
from shared.contracts.registry import PARTNER_POSTINGS, PARTNER_RECEIPTS
from shared.settings import ServiceSettings
from tests.bench.machine import commit, machine
from tests.bench.season import SETTINGS

OUT: Final = PROJECT / "out" / "bench" / "partners.json"
ADS: Final = PROJECT.parent / "shared" / "data" / "jobtech_ads.jsonl.gz"
TYPE: Final = "JobTechAdPublished"
CHUNK: Final = 500
"""Records sent together."""
AHEAD: Final = 4_000
"""Most records that wait for their receipts while more are sent: a feed's writer is not faster than its network."""
QUIET_S: Final = 10.0
SAY_S: Final = 5.0
GIVE_UP_S: Final = 120.0
"""Without any receipt."""
PLACE: Final = b"@bench-id@"


@dataclass(frozen=True)
class Ad:
    """A real ad as a template."""

    parts: tuple[bytes, ...]

    def with_id(self, name: str) -> bytes:
        """The ad under an id; where it is one of many texts, it is in them too."""
        return name.encode().join(self.parts)


def ads(path: Path, *, own_texts: bool) -> list[Ad]:
    """The real ads. `own_texts`: each copy says something that no other says."""
    end = (datetime.now(UTC) + timedelta(days=60)).strftime("%Y-%m-%dT%H:%M:%S")
    made = []
    with gzip.open(path) as lines:
        for line in lines:
            ad = json.loads(line) | {"id": PLACE.decode(), "application_deadline": end, "last_publication_date": end}
            if own_texts:
                ad["headline"] = f"{ad['headline']} {PLACE.decode()}"
                text = ad.get("description") or {}
                ad["description"] = text | {"text": f"{PLACE.decode()} {text.get('text') or ''}"}
            made.append(Ad(tuple(json.dumps(ad, ensure_ascii=False).encode().split(PLACE))))
    return made


@dataclass
class Side:
    """A partner's two ends: it sends records and counts receipts by the offset that they answer."""

    kafka: str
    id: str
    sent: int = 0
    answered: int = 0
    times: dict[int, float] = field(default_factory=dict)
    """When a record was sent, by offset: only of those that are timed."""
    milliseconds: list[float] = field(default_factory=list)
    _seen: bytearray = field(default_factory=bytearray)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _names: Iterator[int] = field(default_factory=count)

    async def __aenter__(self) -> Self:
        """Connect; the partner's topics are there and empty."""
        settings = ServiceSettings(kafka_bootstrap=self.kafka)
        self._producer = Producer(settings, self.id)
        self._stack.push_async_callback(self._producer.close)
        self._reader = reader(settings, self.id, prompt=True)
        await self._reader.start()
        self._stack.push_async_callback(self._reader.stop)
        where = TopicPartition(PARTNER_RECEIPTS.format(partner=self.id), 0)
        self._reader.assign([where])
        self._reader.seek(where, 0)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._stack.aclose()

    async def send(self, templates: Sequence[Ad], number: int) -> None:
        """So many records, each under an id of its own."""
        await self._producer.send_all(list(islice(self._records(templates), number)))
        self.sent += number

    async def send_timed(self, templates: Sequence[Ad]) -> None:
        """One record, whose receipt is timed."""
        at = time.monotonic()
        self.times[self.sent] = at  # only this partner writes to its topic
        await self.send(templates, 1)

    def _records(self, templates: Sequence[Ad]) -> Iterator[Outgoing]:
        for number in self._names:
            name = f"{self.id}-{number}"
            headers = event_headers(
                source=f"urn:partner:{self.id}", event_type=TYPE, subject=name, topic_family=PARTNER_POSTINGS
            )
            body = templates[number % len(templates)].with_id(name)
            yield Outgoing(PARTNER_POSTINGS.format(partner=self.id), name.encode(), body, headers)

    async def _read(self) -> None:
        while True:
            batches = await self._reader.getmany(timeout_ms=100)
            now = time.monotonic()
            for records in batches.values():
                for record in records:
                    answered = next(value for name, value in record.headers if name == "ce_id")
                    self._take(int(answered.rpartition(b"/")[2]), now)

    def _take(self, offset: int, now: float) -> None:
        if offset >= len(self._seen):
            self._seen.extend(bytes(max(offset + 1, 2 * len(self._seen)) - len(self._seen)))
        if not self._seen[offset]:
            self._seen[offset] = 1
            self.answered += 1
            if (at := self.times.pop(offset, None)) is not None:
                self.milliseconds.append((now - at) * 1000)

    async def all_answered(self) -> None:
        """Return when every record has its receipt. Raises SystemExit if none comes any more."""
        before, at = self.answered, time.monotonic()
        while self.answered < self.sent:
            if self.answered > before:
                before, at = self.answered, time.monotonic()
            elif time.monotonic() - at > GIVE_UP_S or self._reading.done():
                raise SystemExit(f"{self.sent - self.answered} records of {self.id} have no receipt")
            await asyncio.sleep(0.01)


@dataclass
class Memory:
    """The postings service's resident memory while it works, in MB."""

    pid: int
    samples: list[int] = field(default_factory=list)

    async def watch(self) -> None:
        """Look once a second, for ever."""
        while True:
            self.samples.append(status_mb(self.pid, "VmRSS"))
            await asyncio.sleep(1)

    def report(self) -> dict[str, int]:
        """A fifth of the way in, at the end, and the most: memory that does not hang on how many records came."""
        kept = self.samples
        return {"early_mb": kept[len(kept) // 5], "late_mb": kept[-1], "most_mb": max(kept)}


def status_mb(pid: int, name: str) -> int:
    """A line of the process's status, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:"))) // 1024


def cpu_s() -> dict[str, float]:
    """Seconds of processor that each child of this process has used, and this one, by the program's name."""
    tasks = Path("/proc/self/task").glob("*/children")
    pids = [os.getpid(), *(int(pid) for task in tasks for pid in task.read_text("ascii").split())]
    used: dict[str, float] = {}
    for pid in pids:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii")
        name, fields = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2 :].split()
        name = {"java": "kafka", "python": "postings"}.get(name.partition(" ")[0], name)
        ticks = int(fields[11]) + int(fields[12])
        used["bench" if pid == os.getpid() else name] = ticks / os.sysconf("SC_CLK_TCK")
    return used


async def intake(console: Console, side: Side, templates: Sequence[Ad], records: int, pid: int) -> dict[str, Any]:
    """All of them sent and answered: how long it took, and in how much memory."""
    memory = Memory(pid)
    watching = asyncio.create_task(memory.watch())
    started, said, first = time.monotonic(), time.monotonic(), side.sent
    before = cpu_s()
    while side.sent - first < records:
        while side.sent - side.answered > AHEAD:  # noqa: ASYNC110 - receipts are read meanwhile
            await asyncio.sleep(0.005)
        await side.send(templates, min(CHUNK, records - (side.sent - first)))
        if time.monotonic() - said > SAY_S:
            said = time.monotonic()
            rate = (side.answered - first) / (said - started)
            console.print(f"  {side.answered - first:,} of {records:,} answered, {rate:,.0f}/s")
    await side.all_answered()
    seconds = time.monotonic() - started
    watching.cancel()
    return {
        "records": records,
        "seconds": round(seconds, 2),
        "records_per_s": round(records / seconds),
        "cpu_us_per_record": {
            name: round((used - before[name]) / records * 1e6) for name, used in cpu_s().items() if name in before
        },
        "memory": memory.report(),
    }


async def fairness(flooding: Side, other: Side, templates: Sequence[Ad], given: argparse.Namespace) -> dict[str, Any]:
    """The other's receipts, with and without the flood: milliseconds."""

    async def steadily(until: asyncio.Future[None] | asyncio.Task[None]) -> dict[str, Any]:
        other.milliseconds.clear()
        due = time.monotonic()
        while not until.done():
            await other.send_timed(templates)
            due += 1 / given.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await other.all_answered()
        found = other.milliseconds
        named = {f"p{percent}": round(latency.percentile(found, percent), 1) for percent in (50, 90, 99)}
        return named | {"max": round(max(found), 1), "records": len(found)}

    async def flood() -> None:
        left = given.flood
        while left:
            number = min(CHUNK, left)
            await flooding.send(templates, number)
            left -= number
        await flooding.all_answered()

    quiet = await steadily(asyncio.create_task(asyncio.sleep(QUIET_S)))
    started = time.monotonic()
    flooded = await steadily(asyncio.create_task(flood()))
    seconds = time.monotonic() - started
    return {"quiet_ms": quiet, "flooded_ms": flooded, "flood": given.flood, "flood_s": round(seconds, 1)}


async def run(given: argparse.Namespace, root: Path, console: Console) -> dict[str, Any]:
    """All of it."""
    known, new = ads(given.ads, own_texts=False), ads(given.ads, own_texts=True)
    size = sum(len(ad.with_id("bench-12345")) for ad in known) / len(known)
    with running_servers(root / "servers") as servers, Platform(servers.addresses, root, env=SETTINGS) as platform:
        service = platform.start("postings")
        service.wait_ready()
        async with AsyncExitStack() as stack:
            front = await stack.enter_async_context(Front({"postings": service.url}, root / "keys"))
            sides = []
            for name in ("warm", "known", "new", "flooding", "other"):
                await front.put("operator", "operator", "postings", f"/partners/{name}", {"name": name})
                sides.append(await stack.enter_async_context(Side(servers.addresses.kafka, name)))
            warm, *rest = sides
            console.print("reading each text once …")
            await intake(console, warm, known, len(known), service.pid)
            result: dict[str, Any] = {}
            if "known" in given.phases:
                console.print(f"{given.records:,} records with known texts …")
                result["known_texts"] = await intake(console, rest[0], known, given.records, service.pid)
            if "new" in given.phases:
                console.print(f"{given.records:,} records with new texts …")
                result["new_texts"] = await intake(console, rest[1], new, given.records, service.pid)
            if "fairness" in given.phases:
                console.print(f"{given.flood:,} of one partner, {given.rate:g}/s of another …")
                result["fairness"] = await fairness(rest[2], rest[3], known, given)
        result["rss_mb"] = status_mb(service.pid, "VmHWM")
    return {"record_bytes": round(size), "servers": servers.kind} | result


def headline(result: dict[str, Any]) -> dict[str, Any]:
    """The figures that are asked for, first."""
    known, fair = result.get("known_texts", {}), result.get("fairness", {})
    return {
        "records": known.get("records"),
        "records_per_s": known.get("records_per_s"),
        "rss_mb": result["rss_mb"],
        "fairness_p99_ms": fair.get("flooded_ms", {}).get("p99"),
    }


def main() -> int:
    """Run, print, write."""
    options = argparse.ArgumentParser(prog="make bench-partners", description=__doc__)
    options.add_argument("--records", type=int, default=79_000)
    options.add_argument("--flood", type=int, default=20_000, help="records of one partner at once")
    options.add_argument("--rate", type=float, default=20.0, help="records a second of the other")
    options.add_argument("--phases", nargs="+", choices=["known", "new", "fairness"], help="only these")
    options.add_argument("--ads", type=Path, default=ADS)
    given = options.parse_args()
    given.phases = given.phases or ["known", "new", "fairness"]
    console, about = Console(), machine()
    console.print(about)
    if not given.ads.is_file():
        console.print(f"{given.ads} is not there: name the JobTech ads with --ads")
        return 2
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        result = uvloop.run(run(given, Path(root), console))
    settings = {name: value for name, value in vars(given).items() if name != "ads"}
    settings |= {"services": SETTINGS["*"], "commit": commit(), "ahead": AHEAD}
    result = headline(result) | result | {"machine": about, "settings": settings}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    console.print_json(data=result)
    console.print(f"written to {OUT.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
