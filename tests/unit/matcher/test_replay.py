"""What another policy would change, on a world small enough to count by hand."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from random import Random

import pytest

from services.matcher.domain import Index
from services.matcher.domain.policy import CURRENT
from services.matcher.replay.__main__ import replay
from services.matcher.replay.charts import bars
from services.matcher.replay.comparing import Ranked, Shift, Traits, compare, sample, telling, traits_of
from services.matcher.replay.report import REPORT, files
from services.matcher.usecases.world import World
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind
from tests.oracle import worlds
from tests.unit.matcher.examples import POLICY, posting, profile, region

POSTING, SEEKER = AnchorKind.POSTING, AnchorKind.SEEKER
TEXT = CURRENT.read_text("utf-8")
OTHER = (
    TEXT.replace(f'"{POLICY.version}"', '"2099.1"')
    .replace("home = 20", "home = 80")
    .replace("minimum = 400", "minimum = 300")
)

TRAITS = {
    "s1": Traits(("graduate",), "north"),
    "s2": Traits(("graduate", "veteran"), "south"),
    "s3": Traits((), "south"),
}
BEFORE: dict[str, Ranked] = {"p1": (("s1", 900), ("s2", 800)), "p2": (("s1", 700),), "p3": ()}
AFTER: dict[str, Ranked] = {"p1": (("s2", 850), ("s3", 600)), "p2": (("s1", 700),), "p3": ()}


def test_what_comes_goes_and_stays_is_counted():
    found = compare(POSTING, BEFORE, AFTER, TRAITS)
    assert (found.lists, found.changed, found.empty, found.entries) == (3, 1, (1, 1), (3, 3))
    assert (found.won, found.lost) == (1, 1)
    assert found.overlaps == (0, 0, 0, 1, 0, 2)
    assert found.points == ((700, 800, 900), (600, 700, 850))
    assert found.shifts == (Shift("s3", 0, 1), Shift("s1", 2, 1))
    assert found.groups == {"graduate": (3, 2), "veteran": (1, 1), "no key group": (0, 1)}
    assert found.areas == {"north": (2, 1), "south": (1, 2)}


def test_the_key_group_is_the_seekers_on_either_kind_of_list():
    traits = TRAITS | {"p": Traits((), "east")}
    found = compare(SEEKER, {"s2": (("p", 500),)}, {"s2": (("p", 500),)}, traits)
    assert found.groups == {"graduate": (1, 1), "veteran": (1, 1)}
    assert found.areas == {"east": (1, 1)}


def test_telling_pairs_are_the_best_that_goes_or_comes_and_what_moves_most():
    empty: dict[str, Ranked] = {}
    assert telling({POSTING: BEFORE, SEEKER: empty}, {POSTING: AFTER, SEEKER: empty}) == [
        ("goes from the posting's list", "p1", "s1"),
        ("comes onto the posting's list", "p1", "s3"),
        ("stays on the posting's list", "p1", "s2"),
    ]


def test_areas_are_the_parts_of_a_country():
    assert traits_of(posting(regions=[region("370102"), region("110000")])).area == "gbt2260:370000"
    assert traits_of(posting(regions=[])).area == "unknown"
    assert traits_of(profile(lives_in=region("1480", "scb"))).area == "scb:14"
    assert traits_of(profile(lives_in=None, regions=[region("CN", "iso3166-1")])).area == "iso3166-1:CN"


def test_a_sample_is_the_same_every_time():
    ids = [f"s{number}" for number in range(100)]
    assert sample(ids, 10) == sample(reversed(ids), 10)
    assert len(sample(ids, 10)) == 10
    assert sample(ids, None) == sorted(ids)


@pytest.fixture(scope="module")
def report() -> dict[str, str]:
    world, random = World(Index(POLICY), dict.fromkeys(AnchorKind, 1)), Random(1)
    traits: dict[str, Traits] = {}
    for number in range(80):
        work = Posting.model_validate(worlds.posting(random, f"p{number}"))
        person = Profile.model_validate(worlds.profile(random, f"s{number}"))
        world.index.upsert_posting(work)
        world.index.upsert_profile(person)
        traits |= {work.id: traits_of(work), person.id: traits_of(person)}
    found = replay(world, traits, (TEXT, OTHER), None)
    assert world.index.policy.version == "2099.1"
    assert all(one.changed for one in found.comparisons), "the other policy changes nothing: it shows nothing"
    assert {pair.after.recommendable for pair in found.pairs if "comes" in pair.why} == {True}
    assert {pair.before.points < pair.after.points for pair in found.pairs if "stays" in pair.why} == {True}
    return files(found)


def test_the_report_says_what_changes_and_its_charts_lie_beside_it(report: dict[str, str]):
    text = report[REPORT]
    assert f"{POLICY.version} -> 2099.1" in text
    assert "place.home: 20 -> 80" in text
    charts = {name for name in report if name.endswith(".svg")}
    assert len(charts) == 6
    assert all(f"]({name})" in text for name in charts)
    assert "| place | " in text


def test_charts_are_svg_that_needs_nothing_else(report: dict[str, str]):
    for name, chart in report.items():
        if name.endswith(".svg"):
            root = ET.fromstring(chart)  # noqa: S314 - our own
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert "href" not in chart


def test_the_longest_bar_is_the_greatest_value():
    chart = bars("t <&>", ["a", "b"], {"before": [1, 4], "after": [2, 0]})
    root = ET.fromstring(chart)  # noqa: S314 - our own
    widths = [float(one.attrib["width"]) for one in root if one.attrib.get("height") == "11"]
    assert widths == [120.0, 240.0, 480.0, 0.0]
