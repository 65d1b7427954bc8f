"""HTML and control characters go, words stay."""

from __future__ import annotations

import time

import pytest

from services.postings.domain.texts import has_control, plain, shortened


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<p>a &amp; b</p><ul><li>x</li><li>y</li></ul>", "a & b\nx\ny"),
        ("One<br/>two<BR>three", "One\ntwo\nthree"),
        ("<h2>Tasks</h2>Weld", "Tasks\nWeld"),
        ("&lt;p&gt;escaped &amp;amp; whole&lt;/p&gt;", "escaped & whole"),
        ("x<script>alert('1 < 2')</script>y<style>p {}</style>z", "xyz"),
        ("<img src=x onerror=alert(1)>seen", "seen"),
        ("a<!-- hidden -->b", "ab"),
        ("a < b and c > d, 3<5", "a < b and c > d, 3<5"),
        ("R&D at AT&T: ?job=1&copy=2", "R&D at AT&T: ?job=1&copy=2"),
        ("<b>R&D</b> ?job=1&copy=2", "R&D ?job=1&copy=2"),
        ("caf&eacute; &#8364;5 &#x4e2d;", "café €5 中"),
        ("a\x00b\x1bc\x9fd\u202ee\ufeff", "abcde"),
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("a\n\n \n\nb", "a\n\nb"),
        ("焊工，月薪<5000", "焊工，月薪<5000"),
        ("", ""),
    ],
)
def test_plain(written: str, read: str):
    assert plain(written) == read


@pytest.mark.parametrize("escapes", range(6))
def test_however_often_it_is_escaped_no_tag_comes_out(escapes: int):
    text = "<script>alert(1)</script>"
    for _ in range(escapes):
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert "<script" not in plain(text)


@pytest.mark.parametrize("piece", ["<", "<a ", "&lt;", "<p>", "<a b='", "&lt;p&gt;", "<!--", "&", "\n ", "]]>"])
def test_long_nonsense_takes_no_time(piece: str):
    began = time.process_time()
    plain(piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 3


def test_what_is_too_long_is_cut_and_says_so():
    assert shortened("x" * 20_000) == "x" * 20_000
    assert shortened("x" * 20_001) == "x" * 19_999 + "…"


def test_control_characters_in_an_id():
    assert [has_control(text) for text in ("A-1 中", "a\tb", "a\n", "\x00")] == [False, True, True, True]
