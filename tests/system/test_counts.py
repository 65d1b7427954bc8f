"""What became of a partner's postings: from a seeker's list to the partner's receipts topic."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pymongo import MongoClient

from tests.system.topics import Topics, headers_of
from tests.system.town import OPERATOR, Json, Town, posting_body
from tests.waiting import until

pytestmark = pytest.mark.slow
ENV = {"postings": {"COUNTS_EVERY_S": "1"}}


async def test_a_partner_is_told_how_many_of_its_postings_are_recommended(town: Town, topics: Topics) -> None:
    partner = f"north-{uuid4().hex[:8]}"
    assert (await town.ask(OPERATOR, "PUT", "postings", f"/partners/{partner}", {"name": partner})).is_success
    seeker, topic = await town.new_seeker(), f"partner.{partner}.postings.v1"
    for name, trade in (("A1", "esco:nobody-wants-it"), ("A2", town.trade), ("A3", town.trade)):
        body = posting_body(trade, id=name)
        await topics.write(
            topic, name.encode(), json.dumps(body).encode(), headers_of("PartnerPostingSubmitted", topic)
        )

    async def recommended() -> bool:
        return len(await town.live_postings(seeker)) == 2

    await until(recommended, "two of its postings are recommended")
    # as if all of this had been yesterday: the day that has ended is to be counted, and the partner was there
    with MongoClient[Json](town.servers.addresses.mongo) as client:
        rows = client["postings"]
        yesterday = datetime.now(UTC) - timedelta(days=1, minutes=5)
        rows["partners"].update_one({"_id": partner}, {"$set": {"body.registered_at": yesterday.isoformat()}})
        rows["counts"].delete_many({})

    async def told() -> list[Json]:
        return [
            one.body
            for one in await topics.read(f"partner.{partner}.receipts.v1")
            if ("ce_type", b"DailyCounts") in one.headers
        ]

    (counts,) = await until(told, "the partner is told")
    assert counts["id"] == f"{partner}/{yesterday.date()}"
    assert (counts["open"], counts["recommended"], counts["recommendations"]) == (3, 2, 2)
