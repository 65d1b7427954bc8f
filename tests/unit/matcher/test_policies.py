"""Which matching policy holds after what was set and rolled back."""

from __future__ import annotations

import tomllib

import pytest

from services.matcher.domain.policy import CURRENT
from services.matcher.usecases.policies import History, changes
from shared.contracts.policies import MatchingPolicySet
from tests.unit.matcher.examples import NOW

PACKAGED = CURRENT.read_text("utf-8")
VERSION: str = tomllib.loads(PACKAGED)["version"]


def text(version: str, minimum: int = 400) -> str:
    return PACKAGED.replace(f'version = "{VERSION}"', f'version = "{version}"').replace(
        "minimum = 400", f"minimum = {minimum}"
    )


def setting(version: str, revision: int, minimum: int = 400) -> MatchingPolicySet:
    return MatchingPolicySet(policy=version, revision=revision, text=text(version, minimum), set_at=NOW)


def after(*commands: str) -> History:
    """Set these versions in turn; `<` is a rollback. The topic is written and read as the commands do."""
    written: list[MatchingPolicySet] = []
    for command in commands:
        known = reread(written)
        written += known.rollback(NOW, "op") if command == "<" else known.setting(text(command), NOW, "op")
    return reread(written)


def reread(written: list[MatchingPolicySet]) -> History:
    history = History(NOW)
    compacted = {one.policy: one for one in written}
    for one in sorted(compacted.values(), key=lambda one: one.revision):
        history.take(one)
    return history


@pytest.mark.parametrize(
    ("commands", "holds"),
    [
        ([], VERSION),
        (["b"], "b"),
        (["b", "<"], VERSION),
        (["b", "c", "<"], "b"),
        (["b", "c", "<", "<"], VERSION),
        (["b", "c", "b", "<", "<"], "b"),
        (["b", "c", "<", "d", "<"], "b"),
        (["b", "c", "b", "<", "<", "<"], VERSION),
    ],
)
def test_a_rollback_goes_back_and_again_further_back(commands: list[str], holds: str):
    history = after(*commands)
    assert history.current.policy == history.policy.version == holds


def test_there_is_an_end_to_going_back():
    with pytest.raises(ValueError, match="no other"):
        after("b", "<", "<")


def test_the_text_of_every_version_that_ever_held_can_be_found():
    known = after("b", "c", "<").versions()
    assert {version: one.text for version, one in known.items()} == {
        VERSION: PACKAGED,
        "b": text("b"),
        "c": text("c"),
    }


def test_one_version_stands_for_one_text():
    with pytest.raises(ValueError, match="another text"):
        after("b").setting(text("b", minimum=500), NOW, "op")
    with pytest.raises(ValueError, match="another text"):
        History(NOW).setting(text(VERSION, minimum=500), NOW, "op")


def test_setting_what_holds_writes_nothing():
    assert after("b").setting(text("b"), NOW, "op") == []
    assert History(NOW).setting(PACKAGED, NOW, "op") == []


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (setting("b", 3).model_copy(update={"text": "version = 1"}), "."),
        (setting("b", 3).model_copy(update={"policy": "c"}), "its text of b"),
        (setting("a", 3, minimum=500), "another text"),
    ],
)
def test_what_is_no_policy_is_ignored(found: MatchingPolicySet, reason: str):
    history = History(NOW)
    history.take(setting("a", 2))
    with pytest.raises(ValueError, match=reason):
        history.take(found)
    assert history.current.policy == history.policy.version == "a"


def test_of_two_settings_at_one_moment_the_first_holds_everywhere():
    history = History(NOW)
    assert history.take(setting("a", 2))
    assert not history.take(setting("b", 2))
    assert history.current.policy == "a"


def test_changes_name_each_number_and_sum_up_large_tables():
    before = 'version = "1"\n[place]\nhome = 20\n[weights]\n' + "".join(f"s{n:02} = 1\n" for n in range(30))
    after_it = before.replace('"1"', '"2"').replace("home = 20", "away = 5").replace(" = 1\n", " = 2\n")
    assert changes(before, after_it)[:3] == ["version: 1 -> 2", "place.away: absent -> 5", "place.home: 20 -> absent"]
    assert changes(before, after_it)[3:] == [*(f"weights.s{n:02}: 1 -> 2" for n in range(6)), "weights: 24 more"]
    assert changes(before, before) == []
