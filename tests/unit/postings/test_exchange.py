"""What a partner is told of our postings: by what it has, what it watches, and where each posting came from."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.postings.domain.employer import Exchange, Partner, PartnerState
from services.postings.domain.exchange import Sent, Watch, gets, next_sent, record_of, watch_of
from services.postings.domain.forms import read
from services.postings.domain.submission import Submission
from shared.contracts.partners import PartnerPostingRemoved, PartnerPostingSubmitted
from shared.contracts.postings import MAX_HOPS, Origin, PostingSource, PostingStatus
from tests.unit.postings.examples import posting

CHONGQING = Watch("south", "chongqing", ("gbt2260:500000",))
YUBEI = {"scheme": "gbt2260", "code": "500112"}
JINAN = {"scheme": "gbt2260", "code": "370102"}


def source(partner: str | None = "north", *passed: str) -> PostingSource:
    origin = Origin(name=passed[0], id="p-9", via=passed[1:]) if passed else None
    return PostingSource(partner=partner, id="A1", origin=origin)


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"regions": [YUBEI]}, True),
        ({"regions": [JINAN, {"scheme": "iso3166-2", "code": "CN-CQ"}]}, True),
        ({"regions": [JINAN]}, False),
        ({"regions": []}, False),
        ({"regions": [{"scheme": "iso3166-1", "code": "CN"}]}, False),
        ({"regions": [YUBEI], "status": PostingStatus.CLOSED, "close_reason": "filled"}, False),
        ({"regions": [YUBEI], "source": source("north")}, True),
        ({"regions": [YUBEI], "source": source("south")}, False),
        ({"regions": [YUBEI], "source": source("sandbox-north")}, False),
        ({"regions": [YUBEI], "source": source("north", "jilin")}, True),
        ({"regions": [YUBEI], "source": source("north", "chongqing")}, False),
        ({"regions": [YUBEI], "source": source("north", "jilin", "chongqing", "hebei")}, False),
        ({"regions": [YUBEI], "source": source("north", "jilin", *[f"n{i}" for i in range(MAX_HOPS)])}, False),
    ],
)
def test_who_gets_which_posting(facts: dict[str, Any], *, wanted: bool) -> None:
    assert gets(CHONGQING, posting(**facts)) == wanted


def test_who_does_not_exchange_or_is_retired_watches_nothing() -> None:
    partner = Partner(
        id="south",
        name="South",
        version=1,
        registered_at=datetime(2026, 1, 1, tzinfo=UTC),
        postings_topic="a",
        receipts_topic="b",
        exchange=Exchange.model_validate({"regions": [YUBEI]}),
    )
    assert watch_of(partner) == Watch("south", "south", ("gbt2260:500112",))
    for change in ({"exchange": None}, {"state": PartnerState.RETIRED}):
        assert watch_of(partner.model_copy(update=change)).regions == ()


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=20))
def test_whatever_is_looked_at_and_whenever_a_partner_ends_with_what_it_shall_have(
    steps: list[tuple[bool, bool]],
) -> None:
    """Each step: the posting lies in the region from now on or not, and somebody looks at once or not."""
    sent: Sent | None = None
    told: list[bool] = []
    for version, (inside, looks) in enumerate([*steps, (True, True), (False, True)], 1):
        now = posting(version=version, regions=[YUBEI if inside else JINAN])
        if looks and (after := next_sent(CHONGQING, now, sent)) is not None:
            assert after.sequence == (sent.sequence if sent else 0) + 1
            sent = after
            told.append(after.open)
        if looks:
            assert (sent is not None and sent.open) == inside
            assert not inside or (sent is not None and sent.version == version)
            assert next_sent(CHONGQING, now, sent) is None, "looked at again, there is nothing new"
    assert told[0], "no removal of what it never had"
    assert (False, False) not in itertools.pairwise(told)


def test_a_record_is_our_own_form_without_what_was_read_and_names_the_way_that_it_came() -> None:
    read_out = {"scheme": "esco", "code": "s1", "confidence": 0.7}
    said = {"scheme": "esco", "code": "s2"}
    one = posting(
        regions=[YUBEI], occupation=read_out, required_skills=[said, read_out], source=source("north", "jilin", "hebei")
    )
    body = record_of(one, Sent(4, 3, open=True), "shandong").model_dump_json(exclude_defaults=True).encode()
    taken = PartnerPostingSubmitted.model_validate_json(body)
    assert (taken.id, taken.sequence, taken.employer_reference) == ("p-1", 4, "e-1")
    assert (taken.occupation, [skill.code for skill in taken.required_skills]) == (None, ["s2"])
    assert taken.origin == Origin(name="jilin", id="p-9", via=("hebei", "shandong"))
    content = read(taken, body).content
    assert isinstance(content, Submission)
    assert (content.origin, content.notes, content.unmapped) == (taken.origin, (), ())
    ours = record_of(posting(), Sent(1, 3, open=True), "shandong")
    assert isinstance(ours, PartnerPostingSubmitted)
    assert ours.origin == Origin(name="shandong", id="p-1")
    gone = record_of(one, Sent(5, 4, open=False), "shandong")
    assert isinstance(gone, PartnerPostingRemoved)
    assert (gone.id, gone.sequence) == ("p-1", 5)


@pytest.mark.parametrize(
    ("facts", "filled"),
    [
        ({"close_reason": "filled"}, True),
        ({"close_reason": "removed_by_partner", "filled": True}, True),
        ({"close_reason": "removed_by_partner"}, False),
        ({"close_reason": "expired"}, False),
    ],
)
def test_a_removal_says_whether_somebody_was_found(facts: dict[str, Any], *, filled: bool) -> None:
    over = posting(regions=[YUBEI], status=PostingStatus.CLOSED, **facts)
    record = record_of(over, Sent(2, over.version, open=False), "shandong")
    assert isinstance(record, PartnerPostingRemoved)
    assert bool(record.filled) is filled
