"""Lists as they are stored, also by earlier versions of this program."""

import msgspec
from cramjam import zstd
from msgspec.structs import replace

from services.notifications.domain import Item
from services.notifications.store.rows import holdings, item, item_row, list_row, unpack
from services.notifications.views import inbox_items
from shared.contracts.lists import AsOfBody, ComponentsBody, EntryBody, EvidenceBody, ListBody
from shared.contracts.recommendations import AnchorKind
from tests.integration.notifications.making import NOW

ENTRY = EntryBody(
    id="p1",
    version=3,
    points=300,
    components=ComponentsBody(occupation=250, place=50),
    matched=("esco:weld",),
    evidence=EvidenceBody(same_occupation=True, required=2, km=12, pay_low=300, pay_high=300, currency="CNY"),
    employer_id="acme",
)


def a_list(*entries: EntryBody) -> ListBody:
    return ListBody(
        kind=AnchorKind.SEEKER,
        anchor="s1",
        revision=1,
        anchor_version=1,
        as_of=AsOfBody(postings=(1,), profiles=(1,)),
        now=NOW,
        policy="v",
        entries=entries,
    )


def test_the_facts_come_back_and_are_said():
    (holding,) = holdings(list_row(a_list(ENTRY)), "seeker:s1")
    assert holding.reasons.evidence == {
        "same_occupation": True,
        "required": 2,
        "km": 12,
        "pay_low": 300,
        "pay_high": 300,
        "currency": "CNY",
    }


def test_an_entry_without_facts_takes_no_more_room_than_before():
    (packed,) = unpack(list_row(a_list(replace(ENTRY, evidence=None)))["entries"])
    assert packed.evidence is None


def test_what_was_stored_before_there_were_facts_is_still_read():
    old = [["p1", "acme", 300, [250, 0, 0, 0, 0, 50, 0, 0, 0], ["esco:weld"], [], []]]
    row = list_row(a_list()) | {"entries": bytes(zstd.compress(msgspec.msgpack.encode(old)))}
    (holding,) = holdings(row, "seeker:s1")
    assert holding.reasons == (300, (250, 0, 0, 0, 0, 50, 0, 0, 0), ("esco:weld",), (), (), None)


def test_an_item_keeps_the_facts_for_its_reader():
    (holding,) = holdings(list_row(a_list(ENTRY)), "seeker:s1")
    made = Item(id="i", key=holding.key, seq=1, told=1, live=True, reasons=holding.reasons, changed_at=NOW)
    kept = item(item_row("seeker:s1", made))
    assert kept == made
    (shown,) = inbox_items("seeker:s1", [kept], {})
    assert shown.explanation is not None
    assert "about 12 km from where you live; pay 300 CNY a month above your floor" in shown.explanation["en"]
    (told,) = inbox_items("employer:acme", [kept], {})
    assert told.explanation is not None
    assert "300" not in told.explanation["en"]


def test_an_item_of_before_is_still_read():
    (holding,) = holdings(list_row(a_list(ENTRY)), "seeker:s1")
    made = Item(id="i", key=holding.key, seq=1, told=1, live=True, reasons=holding.reasons, changed_at=NOW)
    row = item_row("seeker:s1", made)
    del row["reasons"]["e"]
    assert item(row).reasons == holding.reasons._replace(evidence=None)
