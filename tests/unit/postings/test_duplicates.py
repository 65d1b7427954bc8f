"""The same vacancy from two sources: what agrees, whose place is taken, and what is undone."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.postings.domain import likeness as likeness_module
from services.postings.domain.duplicates import Pair, PairState, decided, judged, may_pair, moved, primaries
from services.postings.domain.likeness import AGREES, blocks, likeness, may_be_alike
from services.postings.domain.posting import close, partner_employer_id, reopen, revise
from shared.contracts.postings import CloseReason, Posting, PostingSource
from tests.unit.postings.examples import BEFORE, LATER, NOW, posting, terms

TEXT = " ".join(f"word{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10]}" for n in range(80))
ZH = (
    "本公司招聘熟练焊工负责钢结构件的焊接与打磨要求持有特种作业操作证能看懂图纸"
    "适应两班倒包食宿缴纳五险一金有意者请通过平台投递简历"
)
JINAN = {"scheme": "gbt2260", "code": "370102"}


def offered(partner: str | None, name: str = "A", **more: object) -> Posting:
    """An open posting with everything that is needed to tell it from others."""
    facts: dict[str, Any] = {
        "id": f"p-{partner or 'own'}-{name}",
        "source": PostingSource(partner=partner, id=name),
        "employer_id": f"{partner}.{'0' * 20}" if partner else "e-1",
        "employer_name": "Shandong Machinery Co Ltd",
        "title": {"en": "Welder, day shift"},
        "description": {"en": TEXT},
        "regions": [JINAN],
    }
    return posting(**(facts | more))


def test_the_same_words_at_the_same_employer_and_place_are_one_vacancy():
    found = likeness(offered("north"), offered("south"))
    assert (found.score, found.against, found.agrees) == (1.0, (), True)


WORDS = st.lists(st.sampled_from(["welder", "day", "shift", "lixia", "2", "焊工"]), min_size=1, max_size=5)
SAID = st.dictionaries(st.sampled_from(["en", "sv"]), WORDS.map(" ".join), min_size=1)


@given(SAID, SAID)
def test_titles_that_rule_it_out_could_not_have_been_made_good_by_anything_else(
    mine: dict[str, str], theirs: dict[str, str]
):
    at = [JINAN | {"label": {"en": "Lixia"}}]
    one, other = offered("north", title=mine, regions=at), offered("south", title=theirs, regions=at)
    if not may_be_alike(mine, theirs):
        found, same = likeness_module._title(one, other)
        assert not same
        assert likeness_module._score(found, 1.0, ("title",)) < likeness_module.DOUBTFUL
        assert likeness(one, other) == likeness_module.NOTHING


@pytest.mark.parametrize("title", ["Nurse, day shift", "Welder, night shift", "Turner"])
def test_most_other_vacancies_of_an_employer_are_told_by_their_titles(title: str):
    assert not may_be_alike({"en": "Welder, day shift"}, {"en": title})


SAME: dict[str, dict[str, Any]] = {
    "other marks and cases": {"title": {"en": "WELDER - day shift!"}, "description": {"en": TEXT.upper() + " •"}},
    "no legal form": {"employer_name": "SHANDONG MACHINERY"},
    "the place in the title": {
        "title": {"en": "Welder, day shift - Lixia"},
        "regions": [JINAN | {"label": {"en": "Lixia"}}],
    },
    "another label of the language": {"title": {"de": "Welder, day shift"}, "description": {"de": TEXT}},
    "a little more said": {"description": {"en": TEXT + " and welcome"}},
    "pay that overlaps": {"pay": {"min": 7000, "max": 9000, "currency": "CNY"}},
    "pay in another currency": {"pay": {"min": 1, "max": 2, "currency": "EUR"}},
    "a near occupation": {"occupation": {"scheme": "isco-08", "code": "7213"}},
    "an occupation in another scheme": {"occupation": {"scheme": "esco", "code": "x"}},
    "the province by its other name": {"regions": [JINAN]},
    "an end some days later": {"valid_through": LATER + timedelta(days=10)},
}
OTHER: dict[str, dict[str, Any]] = {
    "another employer": {"employer_name": "Hebei Machinery", "employer_id": f"south.{'1' * 20}"},
    "another place": {"regions": [{"scheme": "gbt2260", "code": "370203"}]},
    "from anywhere": {"remote": True},
    "another title": {"title": {"en": "Forklift driver"}},
    "another number in the title": {"title": {"en": "Welder, day shift 2"}},
    "other numbers in the text": {"description": {"en": TEXT + " 7 to 15"}},
}
DOUBTED: dict[str, dict[str, Any]] = {
    "one word of the title": {"title": {"en": "Welder, days shift"}},
    "one word of the text": {"description": {"en": TEXT.replace("wordbl", "nights")}},
    "half of the text": {"description": {"en": TEXT[: len(TEXT) // 2]}},
    "no text": {"description": {}},
    "only the province": {"regions": [{"scheme": "iso3166-2", "code": "CN-SD"}]},
    "no place": {"regions": []},
    "pay that does not meet": {"pay": {"min": 20_000, "currency": "CNY"}},
    "other openings": {"openings": 9},
    "another occupation": {"occupation": {"scheme": "isco-08", "code": "9333"}},
    "another kind of contract": {"employment_type": "part_time"},
    "an end two months later": {"valid_through": LATER + timedelta(days=60)},
    "a name that is missing": {"employer_name": None},
}
KNOWN: dict[str, Any] = {
    "pay": {"min": 6000, "max": 8000, "currency": "CNY"},
    "openings": 3,
    "occupation": {"scheme": "isco-08", "code": "7212"},
    "employment_type": "full_time",
    "valid_through": LATER,
    "description": {"en": TEXT},
}


@pytest.mark.parametrize("more", SAME.values(), ids=SAME)
def test_what_sources_write_in_their_own_way_agrees(more: dict[str, Any]):
    assert likeness(offered("north", **KNOWN), offered("south", **more)).agrees


@pytest.mark.parametrize("more", OTHER.values(), ids=OTHER)
def test_another_vacancy_is_not_even_doubted(more: dict[str, Any]):
    known = KNOWN | {"description": {"en": TEXT + " 6 to 14"}}
    found = likeness(offered("north", **known), offered("south", **({"description": known["description"]} | more)))
    assert not found.agrees
    assert not found.doubtful


@pytest.mark.parametrize("more", DOUBTED.values(), ids=DOUBTED)
def test_one_contradiction_is_for_a_person_to_say(more: dict[str, Any]):
    found = likeness(offered("north", **KNOWN), offered("south", **more))
    assert found.doubtful, found
    assert found.against


def test_chinese_texts_are_compared_by_characters():
    own: dict[str, Any] = {
        "title": {"zh": "焊工（白班）"},
        "description": {"zh": ZH},
        "employer_name": "山东机械有限公司",
    }
    assert likeness(offered("a", **own), offered("b", **(own | {"employer_name": "山东机械股份有限公司"}))).agrees
    assert likeness(
        offered("a", **own), offered("b", **(own | {"description": {"zh": ZH.replace("两", "三")}}))
    ).doubtful
    assert not likeness(offered("a", **own), offered("b", **(own | {"title": {"zh": "叉车司机"}}))).doubtful


def test_one_reference_is_one_employer_if_the_names_are_near():
    def under(partner: str, name: str) -> Posting:
        return offered(partner, employer_name=name, employer_id=partner_employer_id(partner, "5560", name))

    one, other = under("north", "Volvo Trucks"), under("south", "Volvo Trucks Göteborg")
    assert likeness(one, other).agrees
    assert set(blocks(one)) & set(blocks(other))
    assert not likeness(one, under("south", "Skolverket")).doubtful


def test_who_may_be_one_vacancy_shares_a_block():
    for more in (SAME | DOUBTED).values():
        one, other = offered("north", **KNOWN), offered("south", **more)
        if one.regions and other.regions:
            assert set(blocks(one)) & set(blocks(other)), more


def test_only_open_postings_of_different_sources_that_are_no_trial_meet():
    assert may_pair(offered("north"), offered(None))
    assert not may_pair(offered("north"), offered("north", "B"))
    assert not may_pair(offered("north"), offered("sandbox-south"))
    assert not may_pair(offered("north"), close(offered("south"), CloseReason.FILLED, NOW))


def all_pairs(*postings: Posting) -> list[Pair]:
    found = [judged(None, one, other, NOW) for one, other in combinations(postings, 2)]
    return [pair for pair in found if pair is not None]


def into(*postings: Posting) -> dict[str, str]:
    return primaries({one.id: one for one in postings}, all_pairs(*postings))


def test_the_first_stays_and_an_employers_own_before_it():
    first, second = offered("north", published_at=BEFORE), offered("south", published_at=NOW)
    assert into(second, first) == {second.id: first.id}
    own = offered(None, published_at=LATER)
    assert into(first, second, own) == {first.id: own.id, second.id: own.id}


def test_of_a_chain_only_who_agrees_with_the_primary_is_merged():
    a, b, c = offered("a", published_at=BEFORE), offered("b", published_at=NOW), offered("c", published_at=LATER)
    ab, bc = (
        Pair(first=one.id, second=other.id, state=PairState.AGREES, score=1, at=NOW) for one, other in ((a, b), (b, c))
    )
    everyone = {one.id: one for one in (a, b, c)}
    assert primaries(everyone, [ab, bc]) == {b.id: a.id}
    del everyone[a.id]
    assert primaries(everyone, [ab, bc]) == {c.id: b.id}


def test_what_one_source_has_twice_is_two_vacancies():
    first, twin = offered("north", "A"), offered("north", "B")
    other = offered("south", published_at=NOW)
    assert into(first, twin, other) == {other.id: first.id}
    early = offered("south", published_at=BEFORE - timedelta(days=1))
    assert into(first, twin, early) == {first.id: early.id}


def test_a_merge_changes_nothing_that_the_source_said():
    before = offered("south")
    after = moved(before, "p-1")
    assert after.model_copy(update={"version": before.version, "merged_into": None}) == before
    assert (after.version, moved(after, "p-1")) == (before.version + 1, after)
    assert moved(after, None).merged_into is None


def test_an_edit_and_a_new_opening_leave_it_merged_until_it_is_looked_at():
    merged = moved(offered("south"), "p-1")
    edited = revise(merged, terms("Forklift driver"), NOW)
    again = reopen(close(edited, CloseReason.REMOVED_BY_PARTNER, NOW), NOW)
    assert (edited.merged_into, again.merged_into, again.version) == ("p-1", "p-1", merged.version + 3)


def test_an_operators_no_holds_for_good_and_a_yes_until_something_else_is_said():
    one, other = offered("north"), offered("south", title={"en": "Welder (days)"})
    assert judged(None, one, other, NOW) is None
    yes = decided(other, one, accepted=True, by="op", now=NOW)
    later = other.model_copy(update={"valid_through": LATER, "version": 9})
    assert judged(yes, one, later, NOW) is yes
    assert judged(yes, one, close(other, CloseReason.FILLED, NOW), NOW) is yes
    assert judged(yes, one, other.model_copy(update={"title": {"en": "Crane driver"}}), NOW) is None
    alike = other.model_copy(update={"title": one.title})
    found = judged(yes, one, alike, NOW)
    assert found is not None
    assert (found.state, found.by) == (PairState.AGREES, None)
    no = decided(one, alike, accepted=False, by="op", now=NOW)
    assert judged(no, one, alike, NOW) is no
    assert not no.agrees


TITLES = ("Welder, day shift", "Welder, night shift", "Welder day shift", "Crane driver")
TEXTS = (TEXT, TEXT + " and welcome", TEXT.replace("wordbl", "nights"), "")


@st.composite
def vacancies(draw: st.DrawFn) -> list[Posting]:
    made = []
    for number in range(draw(st.integers(2, 7))):
        partner = draw(st.sampled_from([None, "a", "b", "c"]))
        text = draw(st.sampled_from(TEXTS))
        made.append(
            offered(
                partner,
                str(number),
                title={"en": draw(st.sampled_from(TITLES))},
                description={"en": text} if text else {},
                openings=draw(st.sampled_from([1, 2, 3])),
                published_at=BEFORE + timedelta(days=draw(st.integers(0, 3))),
                merged_into=draw(st.sampled_from([None, "p-gone"])),
            )
        )
    return made


@given(vacancies(), st.randoms(use_true_random=False))
def test_the_outcome_hangs_on_what_is_there_and_not_on_the_order(postings: list[Posting], random: Any):  # noqa: ANN401
    outcome = into(*postings)
    shuffled = list(postings)
    random.shuffle(shuffled)
    assert into(*shuffled) == outcome
    everyone = {one.id: one for one in postings}
    pairs = {pair.ids: pair for pair in all_pairs(*postings)}
    groups: dict[str, list[str | None]] = {}
    for member, primary in outcome.items():
        assert primary not in outcome, "a primary is not merged itself"
        assert pairs[min(member, primary), max(member, primary)].score >= AGREES
        groups.setdefault(primary, [everyone[primary].source.partner]).append(everyone[member].source.partner)
    assert all(len(set(sources)) == len(sources) for sources in groups.values())
    for one, other in pairs:
        assert likeness(everyone[one], everyone[other]) == likeness(everyone[other], everyone[one])
    # whoever agrees with a primary and is left alone: that primary has another of its source
    for ids, pair in pairs.items():
        if pair.agrees and not outcome.keys() & set(ids):
            sources = [groups.get(one, [everyone[one].source.partner]) for one in ids]
            assert set(sources[0]) & set(sources[1])


@given(vacancies(), st.integers(0, 6))
def test_who_leaves_is_nobodys_primary_and_the_others_are_as_if_it_had_never_been(postings: list[Posting], which: int):
    gone = postings[which % len(postings)]
    left = [one for one in postings if one is not gone]
    closed = [close(one, CloseReason.FILLED, NOW) if one is gone else one for one in postings]
    assert into(*closed) == into(*left)
