"""The same vacancy from two partners, from their topics to a seeker's inbox."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from uuid import uuid4

import pytest

from deploy.operator.__main__ import main as operate
from services.postings.domain.posting import partner_posting_id
from tests.system.topics import Topics, headers_of
from tests.system.town import OPERATOR, Town, posting_body
from tests.waiting import until

pytestmark = pytest.mark.slow


async def test_one_vacancy_of_two_partners_is_recommended_once_until_an_operator_says_otherwise(
    town: Town, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    partners = [f"{side}-{uuid4().hex[:8]}" for side in ("north", "south")]
    ids = {partner: partner_posting_id(partner, "A1") for partner in partners}
    for partner in partners:
        assert (await town.ask(OPERATOR, "PUT", "postings", f"/partners/{partner}", {"name": partner})).is_success
    text = "焊接钢结构件并打磨，看懂图纸，持证上岗，两班倒，包食宿，缴纳五险一金，有意者请通过平台投递简历。"
    body = posting_body(town.trade, id="A1", employer_name="山东机械有限公司", description={"zh": text})
    seeker = await town.new_seeker()

    async def send(partner: str, event: str, said: dict[str, object]) -> None:
        topic = f"partner.{partner}.postings.v1"
        await topics.write(topic, b"A1", json.dumps(said).encode(), headers_of(event, topic))

    async def merges(partner: str) -> list[tuple[str, str | None]]:
        receipts = {
            one.body["id"]: one.body
            for one in await topics.read(f"partner.{partner}.receipts.v1")
            if ("ce_type", b"MergeReceipt") in one.headers
        }
        return [(one["outcome"], one.get("merged_into")) for one in receipts.values()]

    async def live(wanted: set[str]) -> bool:
        return await town.live_postings(seeker) == wanted

    await asyncio.gather(*(send(partner, "PartnerPostingSubmitted", body) for partner in partners))

    async def told() -> list[str]:
        return [partner for partner in partners if await merges(partner)]

    (later,) = await until(told, "one of the partners is told that its posting is merged")
    first = next(partner for partner in partners if partner != later)
    assert await merges(later) == [("merged", ids[first])]
    await until(partial(live, {ids[first]}), "the seeker is recommended one of the two")

    await send(first, "PartnerPostingRemoved", {"id": "A1"})
    await until(partial(live, {ids[later]}), "the other one, when that is taken down")
    await send(first, "PartnerPostingSubmitted", body)
    await until(partial(live, {ids[first]}), "the first again, when it is there again")

    monkeypatch.setenv("POSTINGS_URL", town.url("postings", ""))
    monkeypatch.setenv("KEYS_DIR", str(town.keys))
    said = ["duplicates", "part", ids[later], ids[first], "--json"]
    assert await asyncio.to_thread(operate, said) == 0
    await until(partial(live, set(ids.values())), "both, when an operator says that they are two")
    assert await merges(first) == []
    outcomes = [outcome for outcome, _ in await merges(later)]
    assert outcomes == ["merged", "parted", "merged", "parted"]
