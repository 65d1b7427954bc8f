"""Each service is killed, and paused past its session and its lease, in mid-stream.

By the ledger of what was acknowledged: nothing is lost, no effect happens twice, no version goes back, no
receipt changes its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from random import Random
from typing import Any

import pytest

from deploy.processes import SERVICES, Platform
from deploy.servers import Addresses
from shared.contracts.postings import PostingTerms
from shared.contracts.profiles import ProfileTerms
from shared.contracts.registry import PARTNER_RECEIPTS, POSTING_LISTS, POSTINGS, PROFILES, SEEKER_LISTS
from tests.chaos import faults
from tests.chaos.checks import check_lists, check_stored_lists, stored
from tests.chaos.crowd import PARTNERS, Crowd, a_crowd
from tests.chaos.ledger import PartnerLedger, SeekerLedger
from tests.chaos.topics import Body, Topics, Written, last
from tests.chaos.traffic import Partner

EVENTS = 5_000
SEED = 3
WRITERS = 3
"""Each topic is written by the first process, by the second while that one hangs, and by one that was restarted."""


async def burst(crowd: Crowd) -> None:
    """So much that every service is busy for a while."""
    await asyncio.gather(*(partner.stir(60) for partner in crowd.partners), crowd.seekers.register(40))


async def go_on(crowd: Crowd, over: asyncio.Event) -> None:
    """A stream of everything, until the faults are over and there was enough.

    While processes start again it leaves them room to; the bursts are what keeps everything busy.
    """

    async def pause() -> None:
        await asyncio.sleep(0.2 if over.is_set() else 1)

    async def partner_goes_on(partner: Partner) -> None:
        while not over.is_set() or crowd.events < EVENTS:
            await partner.stir(4)
            await pause()

    async def seeker_goes_on() -> None:
        while not over.is_set() or crowd.events < EVENTS:
            await crowd.seekers.stir(1)
            await pause()

    streams = [partner_goes_on(partner) for partner in crowd.partners]
    await asyncio.gather(*streams, *(seeker_goes_on() for _ in range(4)))


async def at_work(crowd: Crowd, random: Random, fault: Coroutine[Any, Any, None]) -> None:
    """It happens while there is much to do."""
    work = asyncio.create_task(burst(crowd))
    await asyncio.sleep(random.uniform(0.05, 0.4))
    await fault
    await work


async def faults_in_turn(platform: Platform, crowd: Crowd, random: Random) -> None:
    """Kill the second processes; hang the first ones, and kill who took over as they wake; kill the first ones.

    The first process starts first, so it holds its service's lease when it hangs.
    """
    for service in SERVICES:
        await at_work(crowd, random, faults.kill(platform[f"{service}-2"]))
    for service in SERVICES:
        late_s = random.choice([0.0, 0.05, 0.2])
        await at_work(crowd, random, faults.hang_and_kill_the_other(platform, service, late_s))
    for service in SERVICES:
        await at_work(crowd, random, faults.kill(platform[service], down_s=0))


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_nothing_acknowledged_is_lost_or_done_twice(platform: Platform, topics_file: Path):
    async with a_crowd(platform, SEED) as crowd:
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(go_on(crowd, over))
            await faults_in_turn(platform, crowd, Random(SEED))
            over.set()
    topics = Topics(platform.addresses, topics_file, PARTNERS)
    await topics.settled()

    assert crowd.events >= EVENTS
    postings, profiles = await topics.read(POSTINGS), await topics.read(PROFILES)
    for partner in crowd.partners:
        await check_receipts(topics, partner.name, partner.ledger)
    check_versions(postings)
    check_versions(profiles)
    check_postings(platform.addresses, crowd.partners, postings)
    check_profiles(platform.addresses, crowd.seekers.ledger, profiles)
    for kind, source, topic in (("posting", postings, POSTING_LISTS), ("seeker", profiles, SEEKER_LISTS)):
        lists = await topics.read(topic)
        for records in (source, lists):
            assert len({record.writer for record in records}) >= WRITERS, "the faults moved nothing"
        check_lists(last(source), lists)
        check_stored_lists(platform.addresses, kind, last(lists))


async def check_receipts(topics: Topics, partner: str, ledger: PartnerLedger) -> None:
    """One answer to each record, whatever the number of receipts, and the right one."""
    answers: dict[str, Body] = {}
    for receipt in await topics.read(PARTNER_RECEIPTS.format(partner=partner)):
        assert receipt.body is not None
        before = answers.setdefault(receipt.body["id"], receipt.body)
        assert before == receipt.body, "a receipt changed its answer"
    expected, _ = ledger.expected()
    found = {int(name.rpartition("/")[2]): (body["outcome"], body.get("version")) for name, body in answers.items()}
    assert found == {offset: (answer.outcome, answer.version) for offset, answer in expected.items()}


def check_versions(records: list[Written]) -> None:
    """By key: no version is missing, none has two bodies, and the newest stands last."""
    versions: dict[str, dict[int, Body | None]] = {}
    for record in records:
        bodies = versions.setdefault(record.key, {})
        assert bodies.setdefault(record.version, record.body) == record.body, f"two bodies: {record}"
    for key, record in last(records).items():
        have = set(versions[key])
        assert record.version == max(have), f"an old version stands last: {record}"
        # who is erased takes along what was not published yet
        if record.body is not None:
            assert have == set(range(1, record.version + 1)), f"versions of {key} are lost: {sorted(have)}"


def check_postings(addresses: Addresses, partners: list[Partner], records: list[Written]) -> None:
    """What partners were told of is on the topic and in the database: each posting, and no other."""
    bodies = {key: record.body or {} for key, record in last(records).items()}
    ours = {(body["source"]["partner"], body["source"]["id"]): body for body in bodies.values()}
    expected = {
        (partner.name, name): vacancy for partner in partners for name, vacancy in partner.ledger.expected()[1].items()
    }
    assert ours.keys() == expected.keys()
    for key, vacancy in expected.items():
        assert ours[key]["version"] == vacancy.version
        assert (ours[key]["status"] == "open") is vacancy.open
        assert said(PostingTerms.model_validate(ours[key])) == PostingTerms.model_validate(vacancy.terms)
    # a row without a body is what a removal left that came before its posting
    rows = stored(addresses, "postings", "postings")
    assert bodies == {row["_id"]: row["body"] for row in rows if "body" in row}


def said(terms: PostingTerms) -> PostingTerms:
    """Without what was read out of its words: the ledger knows only what was sent."""
    occupation = terms.occupation
    return terms.model_copy(
        update={
            "occupation": occupation if occupation and occupation.confidence is None else None,
            "required_skills": tuple(skill for skill in terms.required_skills if skill.confidence is None),
            "preferred_skills": tuple(skill for skill in terms.preferred_skills if skill.confidence is None),
        }
    )


def check_profiles(addresses: Addresses, ledger: SeekerLedger, records: list[Written]) -> None:
    """The same for seekers; who was erased is a tombstone, and gone from the database."""
    final = last(records)
    everybody = {row["_id"]: row for row in stored(addresses, "profiles", "seekers")}
    rows = {seeker: row for seeker, row in everybody.items() if "erased_at" not in row}
    assert final.keys() == everybody.keys() == ledger.standing.keys()
    assert rows.keys() == ledger.live().keys()
    for seeker, standing in ledger.standing.items():
        body = final[seeker].body
        if standing.erased:
            assert body is None
            assert everybody[seeker].keys() == {"_id", "version", "erased_at"}
            continue
        assert body is not None
        for found in (body, rows[seeker]):
            assert (found["version"], found["status"]) == (standing.version, standing.status)
            assert ProfileTerms.model_validate(found) == ProfileTerms.model_validate(standing.terms)
