"""Two deployments of this system are partners of each other, by a bridge each way between their doors.

Here, in Chongqing, everything runs. There, in Shandong, on servers of its own, the service that others have to do with.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient

from deploy.processes import Platform
from deploy.servers import PROJECT, Servers, running_servers
from deploy.servers.children import spawn
from services.postings.domain.posting import partner_posting_id
from tests.system.conftest import ENV as QUICK
from tests.system.doors import Account, desk_of
from tests.system.topics import Raw, topics_of
from tests.system.town import OPERATOR, Town, employer_caller, posting_body
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

HERE, THERE = "chongqing", "shandong"
ENV = {"postings": {"EXCHANGE_NAME": HERE}}
YUBEI = {"scheme": "gbt2260", "code": "500112"}
JINAN = {"scheme": "gbt2260", "code": "370102"}
BOTH = ("--region", "gbt2260:500000", "--region", "gbt2260:370000")
"""Each watches both: whatever the other lets go back would come back."""


@pytest.fixture(scope="module")
def there(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Servers, Platform]]:
    """The other deployment."""
    if servers.kind == "given":
        pytest.skip("the servers were given: there are no second ones")
    with running_servers(tmp_path_factory.mktemp("there"), partners=True) as others:
        env = {"*": {**QUICK, "EXCHANGE_NAME": THERE}}
        with Platform(others.addresses, tmp_path_factory.mktemp("shandong"), env=env) as platform:
            platform.start("postings").wait_ready()
            yield others, platform


@dataclass
class Bridge:
    """The partner's kit as it is called."""

    command: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = spawn(self.command, log=self.log, cwd=PROJECT, env=dict(os.environ))

    async def connected(self) -> bool:
        """Whether it has said so."""
        return "connected" in self.log.read_text("utf-8")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(20)


def bridge(source: Account, target: Account, root: Path) -> Bridge:
    command = [sys.executable, "-m", "services.postings.partner", "bridge"]
    for option, account in (("--from", source), ("--to", target)):
        conf = root / f"{option[2:]}-{source.partner}.conf"
        conf.write_text("".join(f"{name}={value}\n" for name, value in account.librdkafka.items()), "utf-8")
        command += [option, str(conf)]
    return Bridge(command, root / f"bridge-{source.partner}.log")


@dataclass
class Pair:
    """Both deployments, and the bridges between them: `inward` brings what is theirs to here."""

    here: Town
    there: Town
    inward: Bridge
    outward: Bridge

    async def open_here(self, posting: str) -> bool:
        """Whether a posting of theirs is open here."""
        return await self._is_open(self.here, partner_posting_id(THERE, posting))

    async def open_there(self, posting: str) -> bool:
        """Whether a posting of ours is open there."""
        return await self._is_open(self.there, partner_posting_id(HERE, posting))

    async def _is_open(self, town: Town, posting: str) -> bool:
        answer = await town.ask(OPERATOR, "GET", "postings", f"/postings/{posting}")
        return answer.status_code == 200 and answer.json()["status"] == "open"


@pytest.fixture(scope="module")
def accounts(
    servers: Servers, platform: Platform, there: tuple[Servers, Platform]
) -> Iterator[tuple[Account, Account]]:
    """Ours there, and theirs here: each is onboarded at the other, as docs/partners.md says."""
    with pytest.MonkeyPatch.context() as patch:
        given = []
        for (at, running), partner in ((there, HERE), ((servers, platform), THERE)):
            desk = desk_of(at, running, patch)
            status, answer = desk.run("partner", "onboard", partner, "--name", partner)
            assert status == 0, answer
            given.append(desk.account(answer))
            status, answer = desk.run("partner", "exchange", partner, *BOTH)
            assert status == 0, answer
        yield given[0], given[1]


@pytest.fixture
async def pair(
    there: tuple[Servers, Platform], town: Town, accounts: tuple[Account, Account], tmp_path: Path
) -> AsyncIterator[Pair]:
    """With bridges that run."""
    ours, theirs = accounts
    inward, outward = bridge(ours, theirs, tmp_path), bridge(theirs, ours, tmp_path)
    async with AsyncClient(timeout=30) as client:
        inward.start()
        outward.start()
        yield Pair(town, Town(*there, client, trade=town.trade), inward, outward)
        assert inward.stop() == outward.stop() == 0


async def change(town: Town, employer: str, posting: str, **more: object) -> None:
    body = posting_body(town.trade, **more)
    changed = await town.ask(employer_caller(employer), "PUT", "postings", f"/postings/{posting}", body, if_match="*")
    assert changed.status_code == 200, changed.text


async def records_of(servers: Servers, partner: str, *postings: str) -> list[Raw]:
    """What lies on a partner's topic of these postings."""
    async with topics_of(servers.addresses.kafka) as topics:
        records = await topics.read(f"partner.{partner}.postings.v1")
    return [record for record in records if record.key.decode() in postings]


async def test_what_is_open_there_is_found_here_until_it_closes_or_leaves_and_never_goes_back(
    pair: Pair, there: tuple[Servers, Platform]
) -> None:
    here, far = pair.here, pair.there
    employer, seeker = await far.new_employer(), await here.new_seeker(regions=[YUBEI])

    async def found(posting: str) -> bool:
        return partner_posting_id(THERE, posting) in await here.live_postings(seeker)

    async def gone(posting: str) -> bool:
        return not await found(posting)

    first = await far.new_posting(employer, regions=[YUBEI])
    await until(lambda: found(first), "it is recommended here", 60)
    times: dict[str, list[float]] = {"recommended": [], "closed": []}
    posting = first
    for _ in range(3):
        began = time.perf_counter()
        posting = await far.new_posting(employer, regions=[YUBEI])
        await until(lambda: found(posting), "it is recommended here")  # noqa: B023 - awaited in the loop
        times["recommended"].append(time.perf_counter() - began)
    began = time.perf_counter()
    closed = await far.ask(
        employer_caller(employer), "POST", "postings", f"/postings/{posting}/close", {"reason": "filled"}
    )
    assert closed.status_code == 200, closed.text
    await until(lambda: gone(posting), "it is recommended no more")
    times["closed"].append(time.perf_counter() - began)
    for what, took in times.items():
        print(f"\nafter it was posted or closed there, {what} here: " + ", ".join(f"{s * 1000:.0f} ms" for s in took))
    assert not await pair.open_here(posting)

    await change(far, employer, first, regions=[{"scheme": "gbt2260", "code": "310115"}])
    await until(lambda: gone(first), "it was edited out of the region")
    assert not await pair.open_here(first)

    # the other way; and by then, whatever went back would have
    ours = await here.new_posting(await here.new_employer(), regions=[JINAN])
    await until(lambda: pair.open_there(ours), "ours is open there")
    theirs = [partner_posting_id(THERE, one) for one in (first, posting)]
    back = await records_of(there[0], HERE, first, posting, *theirs)
    print(f"records of theirs that came back: {len(back)}")
    assert back == []
    assert len(await records_of(there[0], HERE, ours)) == 1
    assert await records_of(here.servers, THERE, ours, partner_posting_id(HERE, ours)) == []
    origin = (await far.ask(OPERATOR, "GET", "postings", f"/postings/{partner_posting_id(HERE, ours)}")).json()
    assert origin["source"]["origin"] == {"name": HERE, "id": ours, "via": []}


async def test_a_bridge_that_is_killed_and_two_at_once_lose_nothing_and_nothing_old_wins(pair: Pair) -> None:
    far = pair.there
    employer = await far.new_employer()
    pair.inward.stop(signal.SIGKILL)
    postings = [await far.new_posting(employer, regions=[YUBEI]) for _ in range(5)]
    for posting in postings[:2]:
        await change(far, employer, posting, regions=[JINAN], openings=2)
        await far.ask(employer_caller(employer), "POST", "postings", f"/postings/{posting}/close", {})
    second = Bridge(pair.inward.command, pair.inward.log.with_suffix(".second.log"))
    second.start()
    pair.inward.start()

    async def there_and_gone() -> bool:
        return [await pair.open_here(posting) for posting in postings] == [False, False, True, True, True]

    await until(there_and_gone, "all that changed meanwhile is known here", 60)
    await until(second.connected, "the second bridge is there, too", 30)  # one is enough for all of it
    assert second.stop() == 0
    more = await far.new_posting(employer, regions=[YUBEI])
    await until(lambda: pair.open_here(more), "one bridge goes on", 30)
    receipts = await pair.here.ask(OPERATOR, "GET", "postings", f"/partners/{THERE}/receipts?limit=200")
    outcomes: set[Any] = {one["outcome"] for one in receipts.json()["items"]}
    assert outcomes <= {"accepted", "unchanged", "stale"}, receipts.text
