"""How many changed anchors a second one, two or more matcher processes answer: `make bench-throughput`.

Writes profiles and postings onto their topics as the relays do and starts matcher processes on a real Kafka. With
one process more each time, so many anchors change at once; the clock runs from the first record sent until the
list of every one of them, in that version, is on its topic. Where the processes and Kafka share too few cores, the
processor seconds of the matchers say more than the clock: divided by the anchors they tell what an answer costs, and
by processes, what each one more costs because it takes all changes into its own index. Prints and writes
`out/bench/throughput.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import uvloop
from aiokafka import TopicPartition
from rich.console import Console

from deploy.processes import Platform, ServiceProcess
from deploy.servers import PROJECT, running_servers
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.taxonomy import ties_of
from shared.broker import Outgoing, Producer, reader
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.registry import POSTING_LISTS, SEEKER_LISTS
from shared.topics import ensure_topics, partitions
from tests.bench.machine import commit, cpu_s, machine
from tests.bench.rebuild import outgoing
from tests.bench.workload import Workload, posting_id, seeker_id

TOGETHER: Final = 2_000
PATIENCE_S: Final = 120.0
OUT: Final = PROJECT / "out" / "bench" / "throughput.json"
SETTINGS: Final = {"*": {"TRACE_RATIO": "0", "LOG_LEVEL": "WARNING"}}
LISTS: Final = (POSTING_LISTS, SEEKER_LISTS)


class _List(msgspec.Struct):
    """What is read of a list."""

    anchor: str
    anchor_version: int


class Answers:
    """Reads both topics of lists, from `async with` on, and knows the newest version answered of each anchor."""

    def __init__(self, settings: MatcherSettings) -> None:
        self._reader = reader(settings, "throughput")
        self._settings = settings
        self._decode = msgspec.json.Decoder(_List).decode
        self.versions: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        """Read from the beginning."""
        await self._reader.start()
        wheres = [
            TopicPartition(topic, number) for topic in LISTS for number in range(partitions(self._settings, topic))
        ]
        self._reader.assign(wheres)
        for where in wheres:
            self._reader.seek(where, 0)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._reader.stop()

    async def _read(self) -> None:
        while True:
            for records in (await self._reader.getmany(timeout_ms=100, max_records=5_000)).values():
                for record in records:
                    if record.value is not None:
                        told = self._decode(record.value)
                        self.versions[told.anchor] = max(told.anchor_version, self.versions.get(told.anchor, 0))

    async def all_of(self, versions: dict[str, int]) -> None:
        """Wait until each of these anchors is answered in its version. Raises SystemExit if nothing moves any more."""
        left, moved = dict(versions), time.monotonic()
        while True:
            if self._reading.done():
                self._reading.result()
            waiting = {anchor: version for anchor, version in left.items() if self.versions.get(anchor, 0) < version}
            if not waiting:
                return
            if len(waiting) < len(left):
                moved = time.monotonic()
            elif time.monotonic() - moved > PATIENCE_S:
                raise SystemExit(f"nothing has moved for {PATIENCE_S:.0f} s: {len(waiting)} lists are missing")
            left = waiting
            await asyncio.sleep(0.02)


async def _write(producer: Producer, records: Iterable[Outgoing]) -> None:
    records = iter(records)
    while chunk := list(islice(records, TOGETHER)):
        await producer.send_all(chunk)


def _changes(workload: Workload, given: argparse.Namespace, version: int) -> Sequence[Posting | Profile]:
    """Half of them postings, in turn with profiles, nobody twice."""
    half = min(given.changes // 2, given.postings, given.profiles)
    postings = workload.changed_postings(given.postings, half, version)
    profiles = workload.changed_profiles(given.profiles, half, version)
    return list(chain.from_iterable(zip(postings, profiles, strict=True)))


async def run(given: argparse.Namespace, root: Path, console: Console) -> dict[str, Any]:
    """One process more each time."""
    rows: list[dict[str, Any]] = []
    with running_servers(root / "servers") as servers, Platform(servers.addresses, root, env=SETTINGS) as platform:
        settings = MatcherSettings(kafka_bootstrap=servers.addresses.kafka, service_state_dir=root)
        workload, producer = Workload(ties_of(settings)), Producer(settings, "bench")
        await ensure_topics(settings)
        console.print(f"writing {given.profiles:,} profiles and {given.postings:,} postings …")
        await _write(producer, outgoing(workload.profiles(0, given.profiles)))
        await _write(producer, outgoing(workload.postings(0, given.postings)))
        standing = {seeker_id(number): 1 for number in range(given.profiles)}
        standing |= {posting_id(number): 1 for number in range(given.postings)}
        async with Answers(settings) as answers:
            processes: list[ServiceProcess] = []
            for count in range(1, given.processes + 1):
                processes.append(platform.start("matcher", f"matcher-{count}"))
                await asyncio.to_thread(processes[-1].wait_ready)
                if count == 1:
                    console.print("answering all of them once …")
                    await answers.all_of(standing)
                # the share of a newcomer is its own only after the group has parted it anew
                await asyncio.sleep(given.rest)
                changes = _changes(workload, given, 1 + count)
                records = list(outgoing(changes))
                before = [cpu_s(process.pid) for process in processes]
                started = time.monotonic()
                await _write(producer, records)
                await answers.all_of({one.id: one.version for one in changes})
                seconds = time.monotonic() - started
                used = [round(cpu_s(one.pid) - was, 2) for one, was in zip(processes, before, strict=True)]
                rows.append(_row(count, len(changes), seconds, used))
                console.print(rows[-1])
        await producer.close()
    return {"profiles": given.profiles, "postings": given.postings, "servers": servers.kind, "rows": rows}


def _row(processes: int, anchors: int, seconds: float, used: Sequence[float]) -> dict[str, Any]:
    return {
        "processes": processes,
        "anchors": anchors,
        "seconds": round(seconds, 2),
        "anchors_per_s": round(anchors / seconds),
        "cpu_s": list(used),
        "cpu_ms_an_anchor": round(sum(used) / anchors * 1000, 3),
        "anchors_per_s_by_processor": round(anchors / max(used)),
    }


def main() -> int:
    """Run, print, write."""
    options = argparse.ArgumentParser(prog="make bench-throughput", description=__doc__)
    options.add_argument("--profiles", type=int, default=50_000)
    options.add_argument("--postings", type=int, default=10_000)
    options.add_argument(
        "--changes", type=int, default=8_000, help="anchors that change at once, half of them postings"
    )
    options.add_argument("--processes", type=int, default=2, help="most matcher processes")
    options.add_argument("--rest", type=float, default=10.0, help="seconds between a start and the changes")
    given = options.parse_args()
    console, about = Console(), machine()
    console.print(about)
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        result = uvloop.run(run(given, Path(root), console))
    result |= {"machine": about, "settings": vars(given) | {"services": SETTINGS["*"], "commit": commit()}}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    console.print_json(data=result)
    console.print(f"written to {OUT.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
