"""The command that writes tables of near concepts into a policy, and the short form that it writes them in."""

import re
from random import Random

import pytest

from services.matcher.domain.policy import CURRENT, load, parse
from services.matcher.near import by_groups, line, rewritten
from tests.unit.matcher.examples import TAXONOMY

TEXT = CURRENT.read_text()


def tables(seed: int) -> dict[str, dict[str, dict[str, int]]]:
    random = Random(seed)

    def near(scheme: str) -> dict[str, dict[str, int]]:
        names = [f"{scheme}:{number}-x" for number in range(40)]
        return {
            one: {o: random.randint(1, 1000) for o in random.sample(names, random.randint(1, 16)) if o != one}
            for one in random.sample(names, 20)
        }

    return {"related_skills": near("esco"), "related_occupations": near("isco-08")}


@pytest.mark.parametrize("seed", range(3))
def test_tables_come_back_as_they_were_and_nothing_else_changes(seed: int):
    made = rewritten(TEXT, tables(seed))
    policy, base = parse(made), load()
    assert {name: getattr(policy, name) for name in tables(seed)} == tables(seed)
    assert policy.model_copy(update={"related_skills": {}, "related_occupations": {}, "version": ""}) == (
        base.model_copy(update={"version": ""})
    )
    comments = [row for row in TEXT.splitlines() if row.startswith("#")]
    assert [row for row in made.splitlines() if row.startswith("#")] == comments


def test_a_version_stands_for_one_text():
    one, again, other = (rewritten(TEXT, tables(seed)) for seed in (1, 1, 2))
    assert one == again
    versions = [parse(text).version for text in (TEXT, one, other)]
    assert len(set(versions)) == 3
    assert all(len(version) <= 40 for version in versions)


def test_a_policy_that_has_tables_gets_others():
    long = re.sub(r'^version = ".*"', f'version = "{"v" * 40}"', TEXT, flags=re.MULTILINE)
    for old in ('[related_skills."esco:a"]\n"esco:b" = 600\n', '[related_skills]\n"esco:a" = "600: b"\n', ""):
        base = long.replace("[related_skills]\n", old)
        assert parse(rewritten(base, tables(1))).related_skills == tables(1)["related_skills"]
    inline = "related_skills = { 'esco:a' = { 'esco:b' = 1 } }\n" + TEXT.replace("[related_skills]\n", "")
    with pytest.raises(ValueError, match=r"write related_skills|related_skills"):
        rewritten(inline, tables(1))


def test_the_short_form():
    assert line("esco:a", {"esco:b": 600, "esco:c": 600, "esco:d": 300}) == '"esco:a" = "600: b c; 300: d"'
    short = TEXT.replace("[related_skills]\n", '[related_skills]\n"esco:a" = " 600: b c ;300:d"\n')
    assert parse(short).related_skills == {"esco:a": {"esco:b": 600, "esco:c": 600, "esco:d": 300}}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("600", '"600" is not written as "600: code code"'),
        ("600: b;", 'esco:a: "" is not written'),
        ("600: b; 300: b", "esco:a: b stands there twice"),
        ("most: b", "related_skills.esco:a.esco:b"),
        ("1001: b", "related_skills.esco:a.esco:b"),
        ("0: b", "related_skills.esco:a.esco:b"),
        ("600: a", "esco:a is related to itself"),
        ("500: " + " ".join(map(str, range(17))), "esco:a has 17 related concepts"),
    ],
)
def test_a_short_form_that_is_wrong_is_refused(written: str, said: str):
    with pytest.raises(ValueError, match=re.escape(said)):
        parse(TEXT.replace("[related_skills]\n", f'[related_skills]\n"esco:a" = "{written}"\n'))


def test_what_groups_give_anyway():
    occupation = load().occupation
    places = {key: TAXONOMY.isco("esco", key[5:]) for key in TAXONOMY.concepts if key.startswith("esco:")}
    placed = [key for key, found in places.items() if found]
    assert placed
    for key in placed:
        assert by_groups(TAXONOMY, occupation, key, key) == occupation.unit_group
    assert by_groups(TAXONOMY, occupation, placed[0], "esco:nobody") == 0
    assert by_groups(TAXONOMY, occupation.model_copy(update={"unit_group": None}), placed[0], placed[0]) == 0
