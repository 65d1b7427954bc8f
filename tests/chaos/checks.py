"""What must hold of lists in the end, whatever happened to the processes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient

from deploy.servers import Addresses
from services.notifications.store.rows import unpack
from shared.contracts.registry import POSTING_LISTS, POSTINGS, PROFILES, SEEKER_LISTS
from tests.chaos import exactness
from tests.chaos.topics import Body, Topics, Written, last


@dataclass(frozen=True)
class Records:
    """All that was ever written, by kind of anchor: `posting`, `seeker`."""

    state: dict[str, list[Written]]
    lists: dict[str, list[Written]]

    def bodies(self, kind: str) -> list[Body]:
        """Every list, tombstones apart."""
        return [record.body for record in self.lists[kind] if record.body is not None]


async def read(topics: Topics) -> Records:
    return Records(
        state={"posting": await topics.read(POSTINGS), "seeker": await topics.read(PROFILES)},
        lists={"posting": await topics.read(POSTING_LISTS), "seeker": await topics.read(SEEKER_LISTS)},
    )


def check_every_list(records: Records) -> None:
    """Each is what the oracle says, and of each live pair one side's answers saw the other."""
    every_list = [body for kind in exactness.SIDES for body in records.bodies(kind)]
    print(f"{len(every_list)} lists, {sum(len(body.get('entries', ())) for body in every_list)} entries")
    wrong = exactness.faults(records.state, every_list)
    assert not wrong, f"{len(wrong)} of {len(every_list)} lists are not exact: {wrong[:5]}"

    answers = {kind: exactness.answered(kind, records.state[kind], records.bodies(kind)) for kind in exactness.SIDES}
    pairs = exactness.missed(answers["posting"], answers["seeker"])
    assert not pairs, f"{len(pairs)} pairs were seen by neither side: {pairs[:5]}"


def check_the_end(records: Records) -> None:
    """Only what may be recommended is, to whom it may be; of who was erased there is a tombstone."""
    history, now = exactness.History(records.state), datetime.now(UTC)
    history.see_all()
    for kind in exactness.SIDES:
        final = {key: record.body for key, record in last(records.lists[kind]).items()}
        lists: dict[str, Body] = {key: body for key, body in final.items() if body is not None}
        assert not (bad := exactness.not_recommendable(history, lists, now)), f"{len(bad)}: {bad[:5]}"
        for key, record in last(records.state[kind]).items():
            assert (final[key] is None) == (record.body is None), f"{key} was erased, or not"


def check_lists(anchors: dict[str, Written], lists: list[Written]) -> None:
    """Each anchor has a list for its last version, and stands last in the highest revision, which came once."""
    final = last(lists)
    highest: dict[str, int] = {}
    for record in lists:
        if record is not final[record.key]:
            highest[record.key] = max(highest.get(record.key, 0), record.version)
    for key, record in final.items():
        assert record.version > highest.get(key, 0), f"an old list stands last: {record}"
    for key, anchor in anchors.items():
        if anchor.body is None:
            assert key not in final or final[key].body is None, f"the list of {key} outlived its anchor"
            continue
        body = final[key].body
        assert body is not None
        assert body["anchor_version"] == anchor.version, f"no list for the last version of {key}"
        if anchor.body["status"] not in {"open", "active"}:
            assert "entries" not in body, f"{key} is not open, and has recommendations"


def late(lists: list[Written]) -> int:
    """How many came after one of their anchor's with the same revision or a higher one."""
    highest: dict[str, int] = {}
    count = 0
    for record in lists:
        count += record.version <= highest.get(record.key, 0)
        highest[record.key] = max(highest.get(record.key, 0), record.version)
    return count


def check_stored_lists(addresses: Addresses, kind: str, final: dict[str, Written]) -> None:
    """Notifications has what stands on the list topic."""
    rows = {row["_id"]: row for row in stored(addresses, "notifications", "lists")}
    here = {f"{kind}:{key}": record for key, record in final.items() if record.body is not None}
    assert {name for name in rows if name.startswith(f"{kind}:")} == here.keys()
    for name, record in here.items():
        body, row = record.body or {}, rows[name]
        assert (row["revision"], row["anchor_version"]) == (record.version, body["anchor_version"])
        entries = [(entry["id"], entry["points"]) for entry in body.get("entries", ())]
        assert [(one.id, one.points) for one in unpack(row["entries"])] == entries


def stored(addresses: Addresses, database: str, collection: str) -> list[dict[str, Any]]:
    client: MongoClient[dict[str, Any]] = MongoClient(addresses.mongo)
    try:
        return list(client[database][collection].find())
    finally:
        client.close()
