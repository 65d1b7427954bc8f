"""Which records of a partner are taken, and what they make of a posting."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.postings.domain.intake import Decision, decide, received
from services.postings.domain.ordering import Basis, Order, order_of
from services.postings.domain.posting import close, partner_employer_id, partner_posting_id
from services.postings.domain.submission import Removal
from shared.contracts.partners import Outcome
from shared.contracts.postings import CloseReason, Posting, PostingStatus
from tests.unit.postings.examples import BEFORE, LATER, NOW, at, removed, submitted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.postings.domain.submission import Submission


def run(records: Iterable[Submission | Removal], now: datetime = NOW) -> list[Decision]:
    known: Order | None = None
    posting: Posting | None = None
    decisions = []
    for record in records:
        decision = decide("north", record, known, posting, now)
        known, posting = decision.order, decision.posting
        decisions.append(decision)
    return decisions


def test_first_record_publishes() -> None:
    (decision,) = run([submitted(at(1))])
    assert decision.outcome is Outcome.ACCEPTED
    posting = decision.posting
    assert posting is not None
    assert (posting.version, posting.status, posting.published_at) == (1, PostingStatus.OPEN, NOW)
    assert posting.id == partner_posting_id("north", "A1")
    assert posting.employer_id == partner_employer_id("north", "91500000", None)
    assert (posting.source.partner, posting.source.id) == ("north", "A1")


@pytest.mark.parametrize(
    ("records", "outcomes", "version", "status"),
    [
        ([submitted(at(1)), submitted(at(2), "Lead welder")], "accepted accepted", 2, "open"),
        ([submitted(at(1)), submitted(at(2))], "accepted unchanged", 1, "open"),
        ([submitted(at(2)), submitted(at(1), "Old")], "accepted stale", 1, "open"),
        ([submitted(at(1)), submitted(at(1))], "accepted unchanged", 1, "open"),
        # equal orders: the later arrival wins
        ([submitted(at(1)), submitted(at(1), "Other")], "accepted accepted", 2, "open"),
        # what is unchanged still moves the order
        (
            [submitted(at(1)), submitted(at(5)), submitted(at(3), "Old")],
            "accepted unchanged stale",
            1,
            "open",
        ),
        ([submitted(at(1)), removed(at(2))], "accepted accepted", 2, "closed"),
        ([submitted(at(1)), removed(at(2)), removed(at(3))], "accepted accepted unchanged", 2, "closed"),
        # a removal is remembered
        ([submitted(at(2)), removed(at(3)), submitted(at(1))], "accepted accepted stale", 2, "closed"),
        ([removed(at(3)), submitted(at(1))], "unchanged stale", None, None),
        # removed and submitted again, with the same terms or others
        ([submitted(at(1)), removed(at(2)), submitted(at(3))], "accepted accepted accepted", 3, "open"),
        (
            [submitted(at(1)), removed(at(2)), submitted(at(3), "New")],
            "accepted accepted accepted",
            3,
            "open",
        ),
        ([removed(at(1)), submitted(at(2))], "unchanged accepted", 1, "open"),
    ],
)
def test_newest_wins(
    records: list[Submission | Removal], outcomes: str, version: int | None, status: str | None
) -> None:
    decisions = run(records)
    assert [decision.outcome.value for decision in decisions] == outcomes.split()
    last = decisions[-1].posting
    assert (last and last.version, last and last.status.value) == (version, status)


ARRIVAL = Order(Basis.ARRIVAL)


@pytest.mark.parametrize(
    ("known", "order", "outcome", "codes"),
    [
        (at(5), Order(Basis.TIME, 10**15), Outcome.STALE, ["order_missing"]),
        (at(5), ARRIVAL, Outcome.STALE, ["order_missing"]),
        (Order(Basis.TIME, 10), ARRIVAL, Outcome.STALE, ["order_missing"]),
        (at(5), at(4), Outcome.STALE, []),
        (ARRIVAL, ARRIVAL, Outcome.ACCEPTED, []),
        (ARRIVAL, Order(Basis.TIME, 10), Outcome.ACCEPTED, []),
        (Order(Basis.TIME, 10), at(0), Outcome.ACCEPTED, []),
    ],
)
def test_bases_of_order(known: Order, order: Order, outcome: Outcome, codes: list[str]) -> None:
    decisions = run([submitted(known, "First"), submitted(order, "Second")])
    assert decisions[-1].outcome is outcome
    assert [fault.code for fault in decisions[-1].faults] == codes


orders = st.one_of(
    st.integers(0, 2**63 - 1).map(at),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - made aware by the next call
        lambda moment: order_of(None, moment.replace(tzinfo=NOW.tzinfo))
    ),
)


@given(
    st.lists(st.tuples(orders, st.sampled_from(["A", "B", None])), min_size=1, unique_by=lambda pair: pair[0]),
    st.randoms(use_true_random=False),
)
def test_any_order_of_arrival_ends_alike(pairs: list[tuple[Order, str | None]], random: Random) -> None:
    records = [removed(order) if title is None else submitted(order, title) for order, title in pairs]
    shuffled = random.sample(records, len(records))
    assert _offer(run(records)[-1]) == _offer(run(shuffled)[-1])


def _offer(decision: Decision) -> tuple[Order, str | None]:
    """What the world sees: the newest order, and the title if there is an open posting."""
    posting = decision.posting
    return decision.order, posting.title["en"] if posting and posting.status is PostingStatus.OPEN else None


@given(st.lists(st.tuples(orders, st.sampled_from(["A", "B", None])), min_size=1))
def test_versions_and_orders_never_go_back(pairs: list[tuple[Order, str | None]]) -> None:
    records = [removed(order) if title is None else submitted(order, title) for order, title in pairs]
    decisions = run(records)
    for before, after in pairwise(decisions):
        assert after.order >= before.order
        older, newer = (d.posting.version if d.posting else 0 for d in (before, after))
        assert newer == older + (after.outcome is Outcome.ACCEPTED)


def test_an_ad_that_is_over_is_kept_closed() -> None:
    (decision,) = run([submitted(at(1), valid_through=BEFORE)])
    posting = decision.posting
    assert posting is not None
    assert (posting.version, posting.status, posting.close_reason) == (1, "closed", CloseReason.EXPIRED)


def test_expired_opens_again_only_when_changed() -> None:
    first, same, longer = run(
        [
            submitted(at(1), valid_through=BEFORE),
            submitted(at(2), valid_through=BEFORE),
            submitted(at(3), valid_through=LATER),
        ]
    )
    assert first.posting is not None
    assert same.outcome is Outcome.UNCHANGED
    assert longer.posting is not None
    assert (longer.posting.version, longer.posting.status, longer.posting.close_reason) == (2, "open", None)


def test_closed_by_hand_stays_closed_until_the_partner_changes_it() -> None:
    (first,) = run([submitted(at(1))])
    assert first.posting is not None
    closed = close(first.posting, CloseReason.WITHDRAWN, NOW)
    same = decide("north", submitted(at(2)), at(1), closed, NOW)
    assert (same.outcome, same.posting) == (Outcome.UNCHANGED, closed)
    changed = decide("north", submitted(at(3), "New"), at(2), closed, NOW)
    assert changed.posting is not None
    assert (changed.posting.version, changed.posting.status) == (3, "open")


def test_ids_tell_partners_and_postings_apart() -> None:
    assert len({partner_posting_id(*pair) for pair in [("a", "b"), ("ab", ""), ("a", "c"), ("b", "b")]}) == 4
    assert partner_employer_id("a", "1", None) != partner_employer_id("a", None, "1")
    assert partner_employer_id("a", None, " Volvo ") == partner_employer_id("a", None, "volvo")


def test_a_producers_time_stamp_may_be_none() -> None:
    assert received(NOW - timedelta(days=1), NOW) == NOW - timedelta(days=1)
    assert received(datetime(1969, 12, 31, tzinfo=NOW.tzinfo), NOW) == NOW


def test_what_its_partner_removed_as_filled_says_so_until_it_is_open_again() -> None:
    filled = Removal("A1", at(2), filled=True)
    decisions = run([submitted(at(1)), filled, removed(at(3)), submitted(at(4))])
    found = [(one.posting.close_reason, one.posting.filled) for one in decisions if one.posting is not None]
    removed_by_partner = CloseReason.REMOVED_BY_PARTNER
    assert found == [(None, False), (removed_by_partner, True), (removed_by_partner, True), (None, False)]
