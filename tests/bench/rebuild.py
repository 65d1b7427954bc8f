"""How long the index takes from the topics alone, on a real Kafka: `make bench-rebuild`.

Writes profiles and postings onto their topics as the relays do, then lets the matcher's own reader read both whole,
as at a start without a snapshot. By default a fifth of 1,000,000 profiles and 100,000 postings; the seconds for all
of them are extrapolated, and named so. Prints and writes `out/bench/rebuild.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from deploy.servers import PROJECT, running_servers
from services.matcher.domain import Index, load, warm
from services.matcher.handlers.reading import IndexReader
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.lists import Lists
from services.matcher.usecases.taxonomy import ties_of
from services.matcher.usecases.world import TOPIC_OF, World
from shared.broker import Outgoing, Producer
from shared.contracts.envelope import event_headers
from shared.contracts.postings import Posting, PostingPublished
from shared.contracts.profiles import Profile, ProfileRegistered
from shared.contracts.recommendations import AnchorKind
from shared.contracts.registry import POSTINGS, PROFILES
from shared.topics import ensure_topics, partitions
from tests.bench.machine import commit, machine
from tests.bench.workload import Workload

ALL: Final = 1_100_000
TOGETHER: Final = 2_000
OUT: Final = PROJECT / "out" / "bench" / "rebuild.json"


def outgoing(made: Iterable[Posting | Profile]) -> Iterator[Outgoing]:
    """Each as its service's relay would write it."""
    for one in made:
        topic, event = (POSTINGS, PostingPublished) if isinstance(one, Posting) else (PROFILES, ProfileRegistered)
        headers = event_headers(
            source="urn:service:bench",
            event_type=event.__name__,
            subject=one.id,
            topic_family=topic,
            version=one.version,
        )
        yield Outgoing(topic, one.id.encode(), one.model_dump_json(exclude_defaults=True).encode(), headers)


async def run(settings: MatcherSettings, given: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Write, read, time."""
    policy = load()
    warm(policy)
    ties = ties_of(settings)
    workload, producer = Workload(ties), Producer(settings, "bench")
    await ensure_topics(settings)
    for count, made in (
        (given.profiles, outgoing(workload.profiles(0, given.profiles))),
        (given.postings, outgoing(workload.postings(0, given.postings))),
    ):
        written = 0
        while chunk := list(islice(made, TOGETHER)):
            await producer.send_all(chunk)
            written += len(chunk)
            if written % 20_000 == 0 or written == count:
                console.print(f"  written {written:,} of {count:,}")
    await producer.close()
    world = World(Index(policy, ties), {kind: partitions(settings, topic) for kind, topic in TOPIC_OF.items()})
    started, used = time.perf_counter(), time.process_time()
    lists = {kind: Lists(kind, world, asyncio.Event()) for kind in AnchorKind}
    reading = asyncio.create_task(IndexReader(settings, world, lists, settings.reader_records).run())
    waiting = asyncio.create_task(world.caught_up.wait())
    await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
    seconds, used = time.perf_counter() - started, time.process_time() - used
    reading.cancel()
    await asyncio.gather(reading, waiting, return_exceptions=True)
    rows = {"profiles": len(world.index.seekers.row_of), "postings": len(world.index.postings.row_of)}
    return {
        **rows,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used, 1),
        "records_per_s": round((given.profiles + given.postings) / seconds),
        "extrapolated_to": ALL,
        "extrapolated_s": round(ALL * seconds / (given.profiles + given.postings), 1),
        "bar_s": 120,
    }


def main() -> int:
    """Run, print, write."""
    options = argparse.ArgumentParser(prog="make bench-rebuild", description=__doc__)
    options.add_argument("--profiles", type=int, default=200_000)
    options.add_argument("--postings", type=int, default=20_000)
    given = options.parse_args()
    console, about = Console(), machine()
    console.print(about)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as root,
        running_servers(Path(root) / "servers") as servers,
    ):
        settings = MatcherSettings(kafka_bootstrap=servers.addresses.kafka, service_state_dir=Path(root))
        result = asyncio.run(run(settings, given, console)) | {"machine": about, "commit": commit()}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    console.print_json(data=result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
