"""What the index remembers: versions, tombstones, who rests, and slots used again."""

from datetime import timedelta

import numpy as np

from services.matcher.domain import Index, entries
from services.matcher.domain.facts import KEPT
from services.matcher.domain.members import LENGTH
from shared.contracts.lists import encode
from shared.contracts.recommendations import AnchorKind, Entry
from tests.unit.matcher.examples import NOW, POLICY, posting, profile, region, skill

POSTING, SEEKER = AnchorKind.POSTING, AnchorKind.SEEKER


def pair() -> Index:
    index = Index(POLICY)
    assert index.upsert_posting(posting(version=3))
    assert index.upsert_profile(profile(version=3))
    return index


def test_what_is_not_newer_is_ignored():
    index = pair()
    assert not index.upsert_posting(posting(version=3, regions=[region("500000")]))
    assert not index.upsert_profile(profile(version=2, regions=[region("500000")]))
    assert not index.remove_posting("p", 3, NOW)
    assert index.holds(POSTING, "p", ["s"], NOW).all()


def test_a_change_is_seen_at_once():
    index = pair()
    assert index.upsert_profile(profile(version=4, skills=skill("lift"), regions=[region("500000")]))
    assert index.top(POSTING, "p", NOW) == []
    assert index.upsert_profile(profile(version=5, skills=skill("lift")))
    (scored,) = index.top(POSTING, "p", NOW)
    assert (scored.id, scored.version) == ("s", 5)
    assert entries(index, POSTING, "p", [scored])[0].matched == ("esco:lift",)


def test_a_tombstone_is_remembered_until_it_is_forgotten():
    index = pair()
    assert index.remove_profile("s", 4, NOW)
    assert index.tombstone(SEEKER, "s") == 4
    assert index.standing(SEEKER, "s") is None
    assert index.judge("p", "s", NOW) is None
    assert index.top(SEEKER, "s", NOW) == []
    assert not index.upsert_profile(profile(version=4))
    assert index.forget_tombstones(NOW) == 0
    assert index.forget_tombstones(NOW + timedelta(seconds=1)) == 1
    assert index.tombstone(SEEKER, "s") is None


def test_a_tombstone_of_what_was_never_seen():
    index = Index(POLICY)
    assert index.remove_posting("p", 7, NOW)
    assert not index.upsert_posting(posting(version=6))
    assert not index.remove_posting("p", 7, NOW)


def test_nothing_of_an_erased_seeker_is_left_in_the_arrays():
    index = pair()
    index.remove_profile("s", 4, NOW)
    side = index.seekers
    index.flush()
    facts = side.columns.rows[[name for name in side.dtype.names or () if name not in KEPT]]
    assert not any(any(row) for row in facts.tolist())
    assert not any(array.any() for array in (side.columns.words, side.columns.ids, side.columns.codes))


def test_the_slot_of_an_erased_seeker_is_used_again():
    index = pair()
    index.remove_profile("s", 4, NOW)
    index.upsert_profile(profile("t", skills=skill("weld")))
    assert index.seekers.used == 1
    assert [one.id for one in index.top(POSTING, "p", NOW)] == ["t"]


def test_a_merged_posting_is_not_recommended_until_it_is_parted():
    index = pair()
    index.upsert_posting(posting(version=4, merged_into="q"))
    merged = index.standing(POSTING, "p")
    assert merged is not None
    assert (merged.active, merged.reason) == (False, "merged")
    assert index.top(SEEKER, "s", NOW) == []
    index.upsert_posting(posting(version=5, merged_into="q", status="closed", close_reason="filled"))
    closed = index.standing(POSTING, "p")
    assert closed is not None
    assert closed.reason == "filled"
    index.upsert_posting(posting(version=6))
    assert [one.id for one in index.top(SEEKER, "s", NOW)] == ["p"]


def test_who_rests_is_known_with_the_reason():
    index = pair()
    index.upsert_posting(posting(version=4, status="closed", close_reason="expired"))
    index.upsert_profile(profile(version=4, status="withdrawn", consent={"matching": False}))
    closed, left = index.standing(POSTING, "p"), index.standing(SEEKER, "s")
    assert closed is not None
    assert left is not None
    assert (closed.version, closed.active, closed.reason, closed.sharers) == (4, False, "expired", ("e",))
    assert (left.version, left.active, left.reason, left.sharers) == (4, False, "withdrawn", ("mm",))
    found = index.judge("p", "s", NOW)
    assert found is not None
    assert found.failed == ("open", "active", "consent")
    assert list(index.anchors(POSTING)) == []
    index.upsert_posting(posting(version=5))
    index.upsert_profile(profile(version=5))
    assert index.holds(POSTING, "p", ["s"], NOW).all()


def test_holds_of_unknown_ones_is_no():
    index = pair()
    assert index.holds(POSTING, "p", ["nobody", "s", "p"], NOW).tolist() == [False, True, False]
    assert index.holds(POSTING, "nothing", ["s"], NOW).tolist() == [False]
    assert index.holds(POSTING, "p", [], NOW).tolist() == []


def test_as_many_skills_as_the_contract_allows():
    index = Index(POLICY)
    many = [f"skill-{n}" for n in range(50)]
    more = [f"other-{n}" for n in range(50)]
    index.upsert_posting(posting(required_skills=skill(*many), preferred_skills=skill(*more)))
    index.upsert_profile(profile(skills=skill(*many[:25], *more[:25])))
    (scored,) = index.top(SEEKER, "s", NOW)
    (entry,) = entries(index, SEEKER, "s", [scored])
    assert entry.matched == tuple(f"esco:{name}" for name in many[:25] + more[:25])
    assert entry.missing == tuple(f"esco:{name}" for name in many[25:])
    assert (entry.components.required_skills, entry.components.preferred_skills) == (150, 40)


def test_entries_are_as_the_contract_wants_them():
    index = pair()
    for kind, anchor in ((POSTING, "p"), (SEEKER, "s")):
        (entry,) = entries(index, kind, anchor, index.top(kind, anchor, NOW))
        assert entry.employer_id == ("e" if kind is SEEKER else None)
        assert encode(entry).decode() == Entry.model_validate_json(encode(entry)).model_dump_json(exclude_defaults=True)


def test_a_list_is_as_long_as_asked():
    index = Index(POLICY)
    index.upsert_posting(posting())
    for number in range(1500):
        index.upsert_profile(profile(f"s{number:04}", experience_months=12 + number % 3))
    for k in (1, 20, 2000):
        ids = [one.id for one in index.top(POSTING, "p", NOW, k)]
        assert len(ids) == min(k, 1500)
        assert ids == sorted(ids, key=lambda name: (-(int(name[1:]) % 3), name))
    assert np.count_nonzero(index.seekers.columns.rows["live"]) == 1500


def test_rows_may_join_many_lists_that_are_full_at_once():
    index, regions = Index(POLICY), [region(f"3701{number:02}") for number in range(20)]
    for number in range(600):
        index.upsert_posting(posting(f"p{number}", regions=regions))
        index.flush()
    lists = index.postings.columns.lists
    assert sorted(lists[:, LENGTH].tolist())[-20:] == [600] * 20
    for number in range(600):
        index.remove_posting(f"p{number}", 2, NOW)
    index.flush()
    assert not index.postings.columns.lists[:, LENGTH].any()
