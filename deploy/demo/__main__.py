"""`python -m deploy.demo [--feed FILE [--as-of DAY]] [--scale small|medium|full] [--stay]`.

Starts Kafka, MongoDB, Redis and the four services, runs the main job, shows what happened, stops all.
Ends with 0 only if every record had its receipt and every anchor its list.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console

from deploy.demo.feeds import feed_material
from deploy.demo.front import CallError, Front
from deploy.demo.lists import StoredLists
from deploy.demo.material import SCALES, Material, season_material
from deploy.demo.partner import Partner
from deploy.demo.run import LATER, DemoError, Stage, play
from deploy.processes import SERVICES, Platform, ServiceError
from deploy.servers import PROJECT, Addresses, ServerError, running_servers
from shared.auth import ensure_dev_keys
from shared.errors import Unavailable

ROOT = PROJECT / ".dev" / "demo"
PLAIN_WIDTH = 120
EXPECTED = (DemoError, CallError, ServerError, ServiceError, Unavailable, OSError, ValueError)
"""What a sentence explains well enough; anything else is a fault of the demo itself."""


def main() -> int:
    """Run the demo; the exit status."""
    given = _arguments()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        material = _material(given)
        with _alone(ROOT):
            _run(console, material, stay=given.stay)
    except KeyboardInterrupt:
        console.print("\n已中止，全部停止 · Interrupted; everything is stopped.")
        return 130
    except Exception as error:
        cause = _cause(error)
        if not isinstance(cause, EXPECTED):
            raise
        console.print(f"演示失败 · The demo failed: {cause}", style="bold red", markup=False)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description="The main job, end to end.")
    parser.add_argument("--feed", type=Path, help="a real list in place of the season: JobTech ads, USAJOBS, NYC jobs")
    parser.add_argument("--as-of", type=date.fromisoformat, help="day of a replay of USAJOBS (default: the busiest)")
    parser.add_argument("--scale", choices=SCALES, default="medium", help="of the season (default: medium)")
    parser.add_argument("--seed", type=int, default=1, help="another number, another season")
    parser.add_argument("--stay", action="store_true", help="keep everything up until Ctrl-C")
    return parser.parse_args()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _cause(error: BaseException) -> BaseException:
    """The first error of a group; tasks that run together fail together."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _material(given: argparse.Namespace) -> Material:
    now = datetime.now(UTC)
    if given.feed is not None:
        return feed_material(given.feed, given.seed, LATER, now, given.as_of)
    if given.as_of is not None:
        raise ValueError("--as-of is the day of a feed: name it with --feed")
    return season_material(SCALES[given.scale], given.seed, LATER, now)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """An empty folder that no other demo uses. Raises DemoError if one is running."""
    root.parent.mkdir(parents=True, exist_ok=True)
    with root.with_name("demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError("another demo is running in this folder: stop it first") from None
        shutil.rmtree(root, ignore_errors=True)
        yield


def _run(console: Console, material: Material, *, stay: bool) -> None:
    started = time.monotonic()
    console.rule("就业服务平台演示 · Employment platform demo")
    for note in material.notes:
        console.print(f"  {note}")
    ensure_dev_keys(ROOT / "keys")
    with running_servers(ROOT / "servers") as servers, Platform(servers.addresses, ROOT) as platform:
        console.print(f"  Kafka, MongoDB, Redis ({servers.kind}): {time.monotonic() - started:.0f} s")
        for service in SERVICES:
            platform.start(service)
        # a new partner's topic is seen some seconds later: meanwhile the others start
        platform["postings"].wait_ready()
        asyncio.run(_register_partner(material, platform))
        platform.start_all()
        console.print(f"  {', '.join(platform.processes)}: {time.monotonic() - started:.0f} s")
        asyncio.run(_play(console, material, servers.addresses, platform))
        _where_to_look(console, servers.addresses.kafka, platform, stay=stay)
        if stay:
            signal.pause()


async def _register_partner(material: Material, platform: Platform) -> None:
    async with _front(platform) as front:
        name = {"name": material.partner_name}
        await front.put("operator", "operator", "postings", f"/partners/{material.partner}", name)


async def _play(console: Console, material: Material, addresses: Addresses, platform: Platform) -> None:
    def alive() -> None:
        for name, process in platform.processes.items():
            if not process.running:
                raise DemoError(f"{name} has ended; the end of its story is in {process.log}")

    async with (
        _front(platform) as front,
        StoredLists(addresses.mongo) as lists,
        Partner(addresses.kafka, material.partner) as partner,
    ):
        await play(Stage(console, front, partner, lists, material, ROOT, alive))


def _front(platform: Platform) -> Front:
    return Front({name: process.url for name, process in platform.processes.items()}, ROOT / "keys")


def _where_to_look(console: Console, kafka: str, platform: Platform, *, stay: bool) -> None:
    root = ROOT.relative_to(PROJECT)
    console.print("\n[bold]在哪里看 · Where to look[/bold]")
    console.print(f"  日志 logs    {root}/logs/*.jsonl      链路 traces    {root}/traces/*.jsonl")
    if not stay:
        console.print("  make dev     保持运行并给出网址 · the same, and all stays up, with its URLs")
        return
    for name, process in platform.processes.items():
        console.print(f"  {name:<14} {process.url}/docs")
    token = f"make -s token KEYS={root}/keys ROLE"
    stream = f"{platform['notifications'].url}/stream"
    console.print(f"  令牌 tokens    {token}=operator    {token}=seeker SUB=demo-seeker-1", soft_wrap=True)
    bearer = f'"Authorization: Bearer $({token}=seeker SUB=demo-seeker-1)"'
    console.print(f"  事件流 stream  curl -N -H {bearer} {stream}", soft_wrap=True)
    known = f"export KAFKA_BOOTSTRAP={kafka} POSTINGS_URL={platform['postings'].url} KEYS_DIR={root}/keys"
    console.print(f"  运营 operate   {known}", soft_wrap=True)
    commands = ('make operator ARGS="dead-letters list"', "make replay POLICY=my.toml", "make verify-lists")
    console.print(f"                 {' · '.join(commands)}", soft_wrap=True)
    console.print("  Ctrl-C 停止全部 · stops everything")


if __name__ == "__main__":
    sys.exit(main())
