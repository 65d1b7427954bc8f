"""Who is on which lists, against the plain way to keep it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.matcher.usecases.holders import Holders

ANCHORS = [f"a{number}" for number in range(5)]
ENTRIES = st.lists(st.sampled_from([f"c{number}" for number in range(8)]), unique=True, max_size=6).map(tuple)


@given(st.lists(st.tuples(st.sampled_from(ANCHORS), ENTRIES), max_size=40))
def test_holders_are_those_whose_newest_list_holds_it(lists: list[tuple[str, tuple[str, ...]]]) -> None:
    holders = Holders()
    newest: dict[str, tuple[str, ...]] = dict.fromkeys(ANCHORS, ())
    for anchor, entries in lists:
        holders.change(anchor, newest[anchor], entries)
        newest[anchor] = entries
        for counterpart in (f"c{number}" for number in range(9)):
            expected = {one for one, held in newest.items() if counterpart in held}
            found = holders.of(counterpart)
            assert set(found) == expected
            assert len(found) == len(expected)


def test_numbers_of_anchors_that_hold_nothing_are_used_again() -> None:
    holders = Holders()
    for number in range(100):
        holders.change(f"a{number}", (), ("c",))
        holders.change(f"a{number}", ("c",), ())
    assert holders.of("c") == []
    assert holders._anchors == [""]
