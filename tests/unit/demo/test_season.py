"""The season is reproducible, valid, of the promised breadth, and plainly made up."""

import json
import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from deploy.demo.catalogue import catalogue
from deploy.demo.material import SCALES, Size, season_material
from deploy.demo.season import Season, make_season
from services.profiles.domain.seekers import SeekerSubmission
from shared.contracts.partners import PartnerPostingSubmitted
from shared.regions import ancestors

AT = datetime(2026, 3, 1, tzinfo=UTC)


def season(seed: int = 1, postings: int = 400, seekers: int = 400) -> Season:
    return make_season(seed, postings, seekers, AT)


def test_the_same_arguments_give_the_same_bytes():
    first, second = season(), season()
    assert list(first.postings) == list(second.postings)
    assert list(first.seekers) == list(second.seekers)


def test_another_seed_is_another_season():
    assert list(season(1).postings) != list(season(2).postings)
    assert list(season(1).seekers) != list(season(2).seekers)


def test_every_posting_is_what_a_partner_may_send():
    for posting in season().postings:
        body = PartnerPostingSubmitted.model_validate_json(posting.body)
        assert body.id == posting.id
        assert body.valid_through is not None
        assert body.valid_through > AT
        assert body.pay is not None
        assert body.title.keys() == body.description.keys() == {"zh", "en"}
        assert all(skill.label for skill in (*body.required_skills, *body.preferred_skills))
        skills = [skill.key for skill in (*body.required_skills, *body.preferred_skills)]
        assert len(set(skills)) == len(skills)


def test_every_seeker_is_what_profiles_takes():
    for line in season().seekers:
        assert b"\n" not in line
        body = SeekerSubmission.model_validate_json(line)
        assert body.occupations
        assert body.regions
        assert len({skill.key for skill in body.skills}) == len(body.skills)


def test_companies_and_people_are_plainly_made_up():
    for posting in season().postings:
        name = json.loads(posting.body)["employer_name"]
        assert name.startswith("示例")
        assert "Example" in name
    for line in season().seekers:
        contact = json.loads(line)["contact"]
        assert contact["name"].startswith("示例 ")
        assert contact["email"].endswith("@example.org")


def test_the_catalogue_is_as_broad_as_promised():
    data = catalogue()
    assert len(data.occupations) >= 40
    assert len({occupation.code for occupation in data.occupations}) == len(data.occupations)
    assert all(8 <= len(occupation.skills) <= 20 for occupation in data.occupations)
    assert len(data.cities) >= 40
    assert all(names["zh"] for names in (skill["label"] for skill in data.skills.values()))  # type: ignore[index]


def test_districts_lie_in_their_cities():
    for city in catalogue().cities:
        for district in city.districts:
            assert f"gbt2260:{city.code}" in ancestors(f"gbt2260:{district.code}")


def test_popular_skills_are_asked_for_more_often():
    welder = next(one for one in catalogue().occupations if one.code == "6-18-02-04")
    asked: Counter[str] = Counter()
    for posting in season(postings=4000).postings:
        body = PartnerPostingSubmitted.model_validate_json(posting.body)
        if body.occupation and body.occupation.code == welder.code:
            asked.update(skill.label["en"] for skill in body.required_skills if skill.label)
    first, last = welder.skills[0], welder.skills[-1]
    assert asked[first] > 2 * asked[last] > 0


def test_a_small_season_takes_place_in_few_cities():
    small = {json.loads(p.body)["regions"][0]["code"][:4] for p in season(postings=300).postings}
    large = {json.loads(p.body)["regions"][0]["code"][:4] for p in season(postings=6000).postings}
    assert len(small) < 8
    assert len(large) > 40


def test_material_goes_on_beyond_its_size_for_later_arrivals():
    material = season_material(Size(3, 5), seed=1, more_seekers=2, at=AT)
    assert len(list(material.seekers)) == 7
    (posting, *_) = material.postings
    before, after = json.loads(posting.body), json.loads(material.changed(posting).body)
    assert after["openings"] == before["openings"] + 1
    assert after["sequence"] > before["sequence"]


def test_the_full_scale_is_the_bench_s():
    assert SCALES["full"] == (79_000, 47_000)


def test_it_is_made_fast_enough_for_a_bench():
    """20,000 a second on an idle machine; a tenth of it leaves room for a busy one."""
    started = time.process_time()
    made = sum(1 for _ in season(postings=4000).postings)
    assert made / (time.process_time() - started) > 2000


@pytest.mark.parametrize("scale", SCALES.values())
def test_scales_have_both_sides(scale: Size):
    assert scale.postings > 0
    assert scale.seekers > 0
