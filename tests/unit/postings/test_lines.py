"""Lines are the same wherever the pieces are cut in which they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.postings.domain.lines import Line, LineCutter

MOST = 6


def cut(pieces: list[bytes]) -> tuple[list[Line], int]:
    cutter = LineCutter(MOST)
    found = [line for piece in pieces for line in cutter.cut(piece)]
    return [*found, *cutter.rest()], cutter.number


@given(st.lists(st.text(alphabet="ab \n{\u00e5", max_size=9).map(str.encode), max_size=9))
def test_lines_do_not_hang_on_the_pieces(pieces: list[bytes]):
    whole = b"".join(pieces)
    expected = [
        Line(number, None if len(line) > MOST else line)
        for number, line in enumerate(whole.splitlines(keepends=True), 1)
        if len(line) > MOST or line.strip()
    ]
    assert cut(pieces)[0] == expected
    assert cut([whole]) == cut(pieces) == cut([bytes([one]) for one in whole])


def test_blank_lines_count_and_are_not_given():
    assert cut([b"a\n\n \nb"]) == ([Line(1, b"a\n"), Line(4, b"b")], 5)


def test_a_long_line_holds_no_memory_and_hides_no_other():
    cutter = LineCutter(MOST)
    for _ in range(1_000):
        assert list(cutter.cut(b"x" * 1_000)) == []
        assert len(cutter._held._begun) <= MOST
    assert list(cutter.cut(b"\nb\n")) == [Line(1, None), Line(2, b"b\n")]
