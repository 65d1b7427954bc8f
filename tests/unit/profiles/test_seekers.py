"""Decisions about a profile: versions, statuses, and that nothing personal can leak by accident."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from
from pydantic import ValidationError

from services.profiles.domain import seekers
from services.profiles.domain.seekers import Contact, NotPossible, SeekerSubmission
from shared.contracts.profiles import (
    Profile,
    ProfilePaused,
    ProfileRegistered,
    ProfileStatus,
    ProfileTerms,
    ProfileUpdated,
    ProfileWithdrawn,
)

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
WELDER = ProfileTerms.model_validate(
    {"skills": [{"scheme": "esco", "code": "welding", "level": 4}], "consent": {"matching": True}}
)


def registered() -> ProfileRegistered:
    return seekers.register("s1", WELDER, ("m1",), NOW)


def test_the_first_version_is_active_and_has_its_matchmaker() -> None:
    profile = registered()
    assert (profile.version, profile.status, profile.matchmakers) == (1, ProfileStatus.ACTIVE, ("m1",))
    assert profile.skills == WELDER.skills


def test_the_same_terms_are_no_change() -> None:
    same = ProfileTerms.model_validate_json(WELDER.model_dump_json())
    assert seekers.change(registered(), same, LATER) is None


def test_other_terms_or_another_contact_are_the_next_version() -> None:
    other = WELDER.model_copy(update={"remote": True})
    changed = seekers.change(registered(), other, LATER)
    assert isinstance(changed, ProfileUpdated)
    assert (changed.version, changed.remote, changed.matchmakers, changed.changed_at) == (
        2,
        True,
        ("m1",),
        LATER,
    )
    contact = seekers.change(registered(), WELDER, LATER, unseen=True)
    assert contact is not None
    assert contact.version == 2


def test_a_licence_list_that_is_empty_is_not_an_unknown_one() -> None:
    none = WELDER.model_copy(update={"licences": ()})
    assert seekers.change(registered(), none, LATER) is not None


def test_a_change_does_not_end_a_pause() -> None:
    paused = seekers.pause(registered(), NOW)
    assert paused is not None
    changed = seekers.change(paused, WELDER.model_copy(update={"remote": False}), LATER)
    assert changed is not None
    assert changed.status is ProfileStatus.PAUSED


def test_who_has_left_can_come_back_but_not_rest() -> None:
    gone = seekers.withdraw(registered(), NOW)
    assert isinstance(gone, ProfileWithdrawn)
    with pytest.raises(NotPossible):
        seekers.pause(gone, LATER)
    back = seekers.resume(gone, LATER)
    assert isinstance(back, ProfileUpdated)
    assert (back.version, back.status) == (3, ProfileStatus.ACTIVE)


@given(lists(sampled_from([seekers.pause, seekers.resume, seekers.withdraw]), max_size=12))
def test_versions_grow_by_one_and_only_when_something_changes(moves: list[seekers.Move]) -> None:
    profile: Profile = registered()
    for move in moves:
        try:
            moved = move(profile, LATER)
        except NotPossible:
            continue
        if moved is None:
            continue
        assert moved.version == profile.version + 1
        assert moved.status is not profile.status
        assert moved.skills == WELDER.skills
        profile = moved


@pytest.mark.parametrize(
    ("move", "event"),
    [(seekers.resume, ProfileUpdated), (seekers.pause, ProfilePaused), (seekers.withdraw, ProfileWithdrawn)],
)
def test_a_version_is_restated_as_the_event_of_its_status(move: seekers.Move, event: type[Profile]) -> None:
    profile = move(registered(), LATER) or registered()
    again = seekers.restated(Profile.model_validate(profile.model_dump()))
    assert type(again) is event
    assert again.model_dump() == profile.model_dump()


def test_a_contact_never_shows_itself() -> None:
    contact = Contact(name="Wang Fang", phone="+86 138 0013 8000", email="wf@example.org")
    submission = SeekerSubmission.model_validate({"consent": {"matching": True}, "contact": contact})
    shown = f"{contact} {contact!r} {submission} {submission!r} {[contact]}"
    assert "Wang" not in shown
    assert "138" not in shown
    assert "example.org" not in shown


@pytest.mark.parametrize(
    "contact",
    [{"phone": "call 13800138000"}, {"email": "13800138000"}, {"name": 13800138000}, {"13800138000": 1}],
)
def test_a_refused_contact_is_not_repeated(contact: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        SeekerSubmission.model_validate({"consent": {"matching": True}, "contact": contact})
    told = [(error["type"], error["msg"]) for error in refused.value.errors()]
    assert "13800138000" not in str(told)
    if "13800138000" not in contact:  # an unknown field's name has to be told
        assert "13800138000" not in str(refused.value)


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        SeekerSubmission.model_validate({"consent": {"matching": True}, "skill": []})
