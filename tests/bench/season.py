"""A whole season, and the latency of single events while it is live: `make bench`.

Two figures, from outside, on real servers with the four services as processes:
- season: postings through a partner's topic and profiles through `POST /seekers:import`, from the first record
  sent until notifications has stored the list of every anchor;
- latency: single events at a steady rate, from HTTP's answer or Kafka's acknowledgement until the change stream
  of notifications' database says that the list of that anchor version is committed.

Prints and writes `out/bench/season.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from deploy.demo import latency
from deploy.demo.front import Front
from deploy.demo.lists import StoredLists
from deploy.demo.material import Material, Size, season_material
from deploy.demo.partner import Partner
from deploy.demo.progress import Bars
from deploy.demo.season import PartnerPosting
from deploy.processes import SERVICES, Platform
from deploy.servers import PROJECT, running_servers
from tests.bench.machine import commit, cpu_s, machine
from tests.bench.stages import Stages, summary

RECORDS = 1_000
IMPORTS = 2
PATIENCE_S = 120.0
OUT = PROJECT / "out" / "bench" / "season.json"


async def season(  # noqa: C901 - three things at a time, each simple
    console: Console,
    front: Front,
    partner: Partner,
    lists: StoredLists,
    material: Material,
    kept: dict[str, PartnerPosting],
) -> float:
    """Seconds until every anchor's list is stored. Raises SystemExit if nothing moves any more."""
    size: Size = material.size
    anchors = size.postings + size.seekers
    registered: list[str] = []
    started = moved = time.monotonic()
    with Bars(console, {"postings": size.postings, "seekers": size.seekers, "lists": anchors}) as bars:

        async def sending() -> None:
            postings = islice(material.postings, size.postings)
            while chunk := list(islice(postings, RECORDS)):
                await partner.publish(chunk)
                kept.update((posting.id, posting) for posting in chunk[: max(0, 10_000 - len(kept))])
                bars.add("postings", len(chunk))

        async def importing(seekers: Iterator[bytes]) -> None:
            while chunk := list(islice(seekers, RECORDS)):
                answer = await front.import_seekers(chunk)
                registered.extend(item["id"] for item in answer["items"] if item["id"])
                bars.add("seekers", len(chunk))

        async def settling() -> None:
            nonlocal moved
            before = -1
            while True:
                await asyncio.sleep(0.25)
                stored = await lists.count()
                bars.set("lists", stored)
                if stored >= anchors and not partner.missing():
                    return
                if stored != before:
                    before, moved = stored, time.monotonic()
                elif time.monotonic() - moved > PATIENCE_S:
                    raise SystemExit(f"nothing has moved for {PATIENCE_S:.0f} s: {stored} of {anchors} lists")

        seekers = islice(material.seekers, size.seekers)
        async with asyncio.TaskGroup() as group:
            group.create_task(sending())
            for _ in range(IMPORTS):
                group.create_task(importing(seekers))
            group.create_task(settling())
    seconds = time.monotonic() - started
    expected = {f"posting:{one.posting_id}": one.version or 1 for one in partner.receipts.values()}
    expected |= {f"seeker:{seeker}": 1 for seeker in registered}
    missing = await lists.missing(expected)
    if missing or len(expected) != anchors:
        raise SystemExit(f"{len(missing)} of {len(expected)} lists are missing, such as {missing[:3]}")
    return seconds


async def steady(
    front: Front,
    partner: Partner,
    lists: StoredLists,
    material: Material,
    kept: Mapping[str, PartnerPosting],
    given: argparse.Namespace,
) -> latency.Latency:
    """Changed postings and new seekers in turn, at the rate, for the seconds asked for."""
    count = int(given.rate * given.seconds / 2)
    changes = []
    for posting in islice(kept.values(), count):
        receipt = partner.receipts[posting.id]
        changes.append(latency.Change(material.changed(posting), str(receipt.posting_id), (receipt.version or 0) + 1))
    seekers = list(islice(material.seekers, count))
    return await latency.measure(partner, front, lists, changes, seekers, rate=given.rate)


async def run(given: argparse.Namespace, root: Path, console: Console) -> dict[str, Any]:
    """Both figures."""
    more = int(given.rate * given.seconds / 2)
    material = season_material(Size(given.postings, given.seekers), 1, more, datetime.now(UTC))
    kept: dict[str, PartnerPosting] = {}
    with running_servers(root / "servers") as servers, Platform(servers.addresses, root, env=SETTINGS) as platform:
        platform.start_all()
        urls = {name: platform[name].url for name in SERVICES}
        async with Front(urls, root / "keys") as front, StoredLists(servers.addresses.mongo) as lists:
            await front.put("operator", "operator", "postings", f"/partners/{material.partner}", {"name": "bench"})
            async with Partner(servers.addresses.kafka, material.partner, patient=True) as partner:
                seconds = await season(console, front, partner, lists, material, kept)
                # what is left of the season: the index of the newest lists, checkpoints, compaction
                await asyncio.sleep(given.rest)
                async with Stages(servers.addresses.kafka) if given.stages else nullcontext() as stages:
                    measured = await steady(front, partner, lists, material, kept, given)
        memory = {name: _rss_mb(platform[name].pid) for name in SERVICES}
        processor = {name: cpu_s(platform[name].pid) for name in SERVICES}
    if measured.missing:
        raise SystemExit(f"{len(measured.missing)} lists did not come, such as that of {measured.missing[0]}")
    return {
        "postings": given.postings,
        "profiles": given.seekers,
        "seconds": round(seconds, 1),
        "events_per_s": round((given.postings + given.seekers) / seconds, 1),
        "latency_ms": summary([one for kind in measured.milliseconds.values() for one in kind]),
        "latency_ms_by_kind": {kind: summary(times) for kind, times in measured.milliseconds.items()},
        **({"stages_ms": _stages(stages, measured)} if stages else {}),
        "rss_mb": memory,
        "cpu_s": processor,
        "servers": servers.kind,
    }


SETTINGS: dict[str, dict[str, str]] = {"*": {"TRACE_RATIO": "0.001", "LOG_LEVEL": "WARNING", "COUNTS_EVERY_S": "86400"}}


def _stages(stages: Stages, measured: latency.Latency) -> dict[str, Any]:
    """By stage and kind."""
    found = {}
    for kind in measured.milliseconds:
        moments = {anchor: seen for anchor, seen in measured.moments.items() if anchor.startswith(f"{kind}:")}
        found[kind] = {stage: summary(times) for stage, times in stages.of(moments).items()}
    return found


def _rss_mb(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() // 2**20


def main() -> int:
    """Run, print, write."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--postings", type=int, default=79_000)
    options.add_argument("--seekers", type=int, default=47_000)
    options.add_argument("--rate", type=float, default=100.0, help="events a second")
    options.add_argument("--seconds", type=float, default=60.0, help="how long at that rate")
    options.add_argument("--rest", type=float, default=10.0, help="seconds between season and latency")
    options.add_argument("--stages", action="store_true", help="also where events wait; costs a little")
    given = options.parse_args()
    console, about = Console(), machine()
    console.print(about)
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        result = uvloop.run(run(given, Path(root), console))
    settings = {"rate": given.rate, "seconds": given.seconds, "services": SETTINGS["*"], "commit": commit()}
    result |= {"machine": about, "settings": settings}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    console.print_json(data=result)
    console.print(f"written to {OUT.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
