"""Near concepts, on small taxonomies whose vectors are drawn or written by hand."""

from collections import Counter
from random import Random

import msgspec
import numpy as np

from shared.linking.hubs import Hubs, Label, unit
from shared.linking.near import MOST, STEP, Table, near_occupations, skill_table
from shared.taxonomy import Concept, Taxonomy
from shared.taxonomy.model import FORMAT, Relations, Stored


def skill(name: str, *groups: str, is_language: bool = False) -> Concept:
    return Concept(
        f"esco:{name}", "skill", {"en": name}, {}, tuple(f"esco:{g}" for g in groups), None, None, is_language
    )


def of(*concepts: Concept, related: dict[int, tuple[int, ...]] | None = None) -> Taxonomy:
    relations = msgspec.Raw(msgspec.msgpack.encode(Relations({}, {}, related or {})))
    regions = msgspec.Raw(msgspec.msgpack.encode({}))
    return Taxonomy(Stored(FORMAT, "small", {}, {}, {}, concepts, relations, regions))


def table(taxonomy: Taxonomy, *places: tuple[float, float]) -> Table:
    return skill_table(taxonomy, list(taxonomy.skills), unit(np.array(places)))


def test_a_narrower_skill_counts_for_more_of_a_wider_one_than_the_other_way_round():
    near = table(of(skill("weld"), skill("weld pipes", "weld")), (1, 0), (1, 0.5))
    assert near["esco:weld"]["esco:weld pipes"] > near["esco:weld pipes"]["esco:weld"] >= 200
    assert table(of(skill("weld"), skill("sing", "weld")), (1, 0), (0, 1)) == {}, "a tie of arrangement alone"


def test_what_esco_relates_or_puts_together_is_nearer_by_the_same_labels():
    places = ((1.0, 0.0), (0.7, 0.714))  # a cosine of 0.70
    alone = table(of(skill("a"), skill("b")), *places)
    group = Concept("esco:S1", "group", {}, {}, ())
    together = table(of(skill("a", "S1"), skill("b", "S1"), group), *places)
    related = table(of(skill("a"), skill("b"), related={0: (1,), 1: (0,)}), *places)
    assert alone == {}
    assert 0 < together["esco:a"]["esco:b"] < related["esco:a"]["esco:b"]


def test_two_languages_are_no_help_to_each_other_two_abilities_in_one_are():
    group = Concept("esco:L", "group", {}, {}, ())
    languages = [skill(name, "L", is_language=True) for name in ("Danish", "Swedish")]
    abilities = [skill(name, "Danish", is_language=True) for name in ("read Danish", "write Danish")]
    near = table(of(*languages, *abilities, group), (1, 0), (1, 0), (1, 0), (1, 0))
    assert "esco:Swedish" not in near
    assert set(near["esco:read Danish"]) == {"esco:write Danish", "esco:Danish"}


def test_no_more_than_sixteen_the_nearest_first_and_every_time_the_same():
    dice = np.random.default_rng(1)
    places = unit(dice.normal(1, 0.3, (60, 8)))
    taxonomy = of(*(skill(f"s{number:02}") for number in range(60)))
    near = skill_table(taxonomy, list(taxonomy.skills), places)
    assert max(map(len, near.values())) == MOST, "some have more"
    for concept, others in near.items():
        assert concept not in others
        assert list(others.values()) == sorted(others.values(), reverse=True)
        assert all(0 < credit < 1000 and credit % STEP == 0 for credit in others.values())
    order = Random(1).sample(range(60), 60)
    mixed = skill_table(taxonomy, [taxonomy.skills[number] for number in order], places[order])
    assert mixed == near, "whatever the order they come in"


def test_an_occupation_is_in_sixteen_pairs_at_most_and_only_where_groups_do_not_say_more():
    count = 40
    places = unit(np.random.default_rng(2).normal(1, 0.2, (count, 8)))
    keys = [f"esco:o{number:02}" for number in range(count)]
    hubs = Hubs(
        [Label(key, key, key) for key in keys], keys, keys, np.arange(count), np.arange(count),
        places.astype(np.float16), np.zeros(8, np.float32), np.eye(8, dtype=np.float32), places, places, places,
    )  # fmt: skip
    near = near_occupations(hubs, lambda _one, _other: 700)
    pairs = [(one, other) for one, others in near.items() for other in others]
    assert len({frozenset(pair) for pair in pairs}) == len(pairs), "each once"
    assert max(Counter(key for pair in pairs for key in pair).values()) == MOST
    assert all(credit > 700 for others in near.values() for credit in others.values())
    assert near_occupations(hubs, lambda _one, _other: 900) == {}
