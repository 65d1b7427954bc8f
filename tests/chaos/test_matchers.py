"""Three matcher processes at work: one is killed, one is paused until it has lost its share and wakes up, one joins.

Every list is exact all the same, no pair is missed, no late list stands last, and `make verify-lists` computes
every one of them again.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from deploy.processes import Platform
from deploy.servers import PROJECT
from shared.contracts.registry import POSTING_LISTS, SEEKER_LISTS
from tests.chaos import checks, exactness, faults
from tests.chaos.conftest import SESSION_S, start_more
from tests.chaos.crowd import PARTNERS, Crowd, a_crowd
from tests.chaos.topics import Topics, last

MADE = 600
"""Postings, and as many seekers."""
LATE = 50
"""Lists that come once more, of each kind; a process that wakes up may add to them."""
SEED = 11
PROCESSES = 4
LISTS = (POSTING_LISTS, SEEKER_LISTS)


def is_enough(crowd: Crowd) -> bool:
    postings = {sent.id for partner in crowd.partners for sent in partner.ledger.sent.values()}
    return len(postings) >= MADE and len(crowd.seekers.ledger.standing) >= MADE


async def go_on(crowd: Crowd, over: asyncio.Event) -> None:
    """New ones and changes all the time, until the faults are over and there was enough."""
    while not (over.is_set() and is_enough(crowd)):
        await asyncio.gather(
            *(partner.submit(4) for partner in crowd.partners),
            *(partner.stir(2) for partner in crowd.partners),
            crowd.seekers.register(12),
            *(crowd.seekers.stir(1) for _ in range(3)),
        )
        await asyncio.sleep(0.4)


async def faults_in_turn(platform: Platform, topics: Topics) -> None:
    await all_write(topics, 3)
    platform["matcher"].kill()
    await asyncio.sleep(SESSION_S + 1)  # until the others have its share
    await faults.hang(platform["matcher-2"])
    await asyncio.to_thread(start_more, platform, {"matcher-4": "matcher"})
    for topic in LISTS:
        await faults.write_late(topics, topic, LATE)
    await all_write(topics, PROCESSES)


async def all_write(topics: Topics, processes: int) -> None:
    """Wait until so many processes have written lists, of both kinds."""
    async with asyncio.timeout(60):
        for topic in LISTS:
            while len(await writers(topics, topic)) < processes:  # noqa: ASYNC110 - only the topic tells
                await asyncio.sleep(0.5)


async def writers(topics: Topics, topic: str) -> set[bytes]:
    return {record.writer for record in await topics.read(topic)} - {faults.FORMER_OWNER}


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_lists_are_right_while_matchers_come_and_go(three_matchers: Platform, topics_file: Path):
    topics = Topics(three_matchers.addresses, topics_file, PARTNERS)
    async with a_crowd(three_matchers, SEED) as crowd:
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(go_on(crowd, over))
            await faults_in_turn(three_matchers, topics)
            over.set()
    await topics.settled()

    records = await checks.read(topics)
    checks.check_every_list(records)
    checks.check_the_end(records)
    check_last_lists(three_matchers, records)

    code, said = verify_lists(topics)
    assert code == 0, said
    await write_one_point_more(topics)
    code, said = verify_lists(topics)
    assert (code, said.splitlines()[-1].rpartition(": ")[2]) == (1, "1 differ"), said


def check_last_lists(platform: Platform, records: checks.Records) -> None:
    """Each is the newest there was, as consumers see it, and says what is right in the end."""
    history = exactness.History(records.state)
    history.see_all()
    for kind in exactness.SIDES:
        lists, final = records.lists[kind], last(records.lists[kind])
        late = checks.late(lists)
        print(f"{late} of {len(lists)} lists of {kind}s came late")
        assert late >= LATE
        checks.check_lists(last(records.state[kind]), lists)
        checks.check_stored_lists(platform.addresses, kind, final)
        bodies = {key: record.body for key, record in final.items() if record.body is not None}
        wrong = exactness.outdated(history, kind, bodies, datetime.now(UTC))
        assert not wrong, f"{len(wrong)} last lists are outdated: {wrong[:5]}"


def verify_lists(topics: Topics) -> tuple[int, str]:
    """What `make verify-lists` runs: its exit status, and all that it said."""
    env = os.environ | topics.addresses.env() | {"TOPICS_FILE": str(topics.file)}
    command = [sys.executable, "-m", "services.matcher.verify"]
    done = subprocess.run(command, env=env, cwd=PROJECT, capture_output=True, text=True, check=False)
    print(done.stdout)
    return done.returncode, done.stdout + done.stderr


async def write_one_point_more(topics: Topics) -> None:
    """Some list once more, in which the first entry has a point more than it should."""
    raw = next(raw for raw in await topics.raw(SEEKER_LISTS) if b'"points":' in (raw.value or b""))
    value = re.sub(rb'"points":(\d+)', lambda found: b'"points":%d' % (int(found[1]) + 1), raw.value, count=1)
    async with AIOKafkaProducer(bootstrap_servers=topics.addresses.kafka) as producer:
        await producer.send_and_wait(SEEKER_LISTS, value, raw.key, raw.partition, headers=list(raw.headers))
