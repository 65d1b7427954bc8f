"""What holds for every text."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.linking.automaton import Automaton, Hit, longest
from shared.linking.skills import MOST, Linker, joined
from shared.linking.words import singular, stem, words

PIECES = st.sampled_from(
    [
        *(
            "Krav:",
            "Meriterande:",
            "Om oss\n",
            "Requirements:\n",
            "任职要求：",
            "优先",
            "\n",
            ". ",
            ", ",
            " ",
            "•",
            "-",
        ),
        *(
            "SQL",
            "R",
            "C++",
            "truckkort",
            "svenska",
            "Excel",
            "叉车证",
            "会看图纸",
            "noggrann",
            "operate forklift",
            "a",
        ),
        *("du är ", "inte ", "ingen ", "krävs inte", "不要求", "must have ", "is a plus", "GDPR", "we offer", "i", "ß"),
    ]
)
TEXTS = st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=40).map("".join))
BOILERPLATE = st.sampled_from(
    [
        "We are an equal opportunity employer and speak Polish.",
        "Vi undanber oss säljare av Java och truckkort.",
        "Under GDPR we keep your SQL answers.",
        "Skicka din ansökan med Excel.",
        "本公司提供五险一金和叉车证。",
    ]
)


@given(title=TEXTS, text=TEXTS)
def test_spans_lie_in_the_text_and_each_skill_is_there_once(linker: Linker, title: str, text: str):
    found = linker.posting(title, text)
    full = joined(title, text)
    assert len(found) <= MOST
    assert len({each.key for each in found}) == len(found)
    for each in found:
        start, end = each.span
        assert 0 <= start < end <= len(full)
        assert full[start:end].strip() == full[start:end] != ""
        assert 0 < each.confidence <= 1
    spans = sorted(each.span for each in found)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


@given(text=TEXTS)
def test_a_seeker_may_write_anything(linker: Linker, text: str):
    found = linker.seeker(text)
    spans = [each.span for each in found.skills] + [each.span for each in found.occupations]
    for start, end in spans:
        assert 0 <= start < end <= len(text)


@given(text=TEXTS, more=BOILERPLATE)
def test_boilerplate_behind_a_text_changes_nothing(linker: Linker, text: str, more: str):
    assert linker.posting("", f"{text}\n\n{more}") == linker.posting("", text)


@given(text=st.text(max_size=200))
def test_words_lie_in_the_text_in_order(text: str):
    found = words(text)
    end = 0
    for piece, place in zip(found.pieces, found.places, strict=True):
        assert end <= place.start() < place.end()
        assert text[place.start() : place.end()] == piece
        end = place.end()


@given(word=st.text(min_size=1, max_size=30))
def test_a_stem_is_a_beginning_and_never_empty(word: str):
    assert stem(word)
    assert singular(word)


@given(text=st.text("abc ", max_size=40), phrases=st.lists(st.text("abc", min_size=1, max_size=3), max_size=6))
def test_the_automaton_finds_what_a_search_finds(text: str, phrases: list[str]):
    automaton = Automaton([" ".join(phrase) for phrase in phrases], range(len(phrases)))
    pieces = [letter for letter in text if letter != " "]
    hits = set(automaton.hits(automaton.symbols(pieces)))
    row = "".join(pieces)
    expected = {
        Hit(first, first + len(phrase), number)
        for number, phrase in enumerate(phrases)
        for first in range(len(row))
        if row.startswith(phrase, first)
    }
    assert hits == expected
    taken = [position for hit in longest(hits) for position in range(hit.first, hit.end)]
    assert len(taken) == len(set(taken))
