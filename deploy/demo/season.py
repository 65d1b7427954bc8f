"""A made-up season in the mix of China's Spring Breeze campaign: the same arguments give the same bytes.

    season = make_season(seed=1, postings=2_000, seekers=2_000, at=datetime.now(UTC))
    for posting_id, body in season.postings: ...   # PartnerPostingSubmitted, for partner.<id>.postings.v1
    for line in season.seekers: ...                # one SeekerSubmission, for POST /seekers(:import)

Occupations, places and skills are real codes; companies and people are made up and say so (示例, Example).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple, TypeVar

from deploy.demo.catalogue import Catalogue, City, CodeDict, Names, Occupation, catalogue, code, region

T = TypeVar("T")

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode

EXPERIENCE: Final = (0, 3, 6, 12, 18, 24, 36, 48, 60, 96)
"""Months that a seeker may have."""
LEVELS: Final = ("primary", "lower_secondary", "upper_secondary", "post_secondary")
POSTINGS_PER_CITY: Final = 75
"""A small season takes place in a few cities, so that its people find something near them."""
FEWEST_CITIES: Final = 4
FREE_LIVING, INSURED, NAMING_THE_CITY, URGENT = (0, 1, 2), (3, 4), (5, 6), (7,)
"""Of ten titles, which say more than the occupation; the first two only where it is true."""
POSTINGS_PER_COMPANY: Final = 8
SHARED_SKILLS: Final = 2
MOST_ALIKE: Final = 4
"""Who wants one occupation also wants some of those that share this many skills with it."""


class PartnerPosting(NamedTuple):
    """One record for `partner.<id>.postings.v1`: its key, its body as JSON, its `ce_type`."""

    id: str
    body: bytes
    event_type: str = "PartnerPostingSubmitted"


class Season(NamedTuple):
    """Postings and seekers, made as they are asked for (about 25,000 a second)."""

    postings: Iterator[PartnerPosting]
    seekers: Iterator[bytes]


def make_season(seed: int, postings: int, seekers: int, at: datetime) -> Season:
    """That many of each, as of `at` (with a time zone): postings are valid for 14 to 60 days from then."""
    stage = _stage(catalogue(), postings)
    ours, theirs = Random(f"{seed}/postings"), Random(f"{seed}/seekers")  # noqa: S311 - no cryptography
    return Season(
        (_posting(stage, ours, f"s{seed}-{n:06d}", at) for n in range(postings)),
        (_seeker(stage, theirs, f"s{seed}-{n:06d}", at) for n in range(seekers)),
    )


class Weighted(NamedTuple):
    """Things to choose from, with their summed shares."""

    items: Sequence[int]
    sums: Sequence[float]

    def choose(self, dice: Random) -> int:
        """One index, in proportion to its share."""
        return dice.choices(self.items, cum_weights=self.sums)[0]


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where a season takes place: what is drawn from, prepared."""

    catalogue: Catalogue
    cities: Sequence[City]
    occupation: Weighted
    job_city: Weighted
    home_city: Weighted
    occupation_codes: Sequence[CodeDict]
    alike: Sequence[Sequence[int]]
    """By occupation: others that share skills with it, those that share most first."""
    city_codes: Sequence[CodeDict]
    district_codes: Sequence[Sequence[CodeDict]]
    provinces: Sequence[CodeDict]
    province_of: Sequence[int]
    companies: int
    """In each sector of each city."""


def _stage(data: Catalogue, postings: int) -> _Stage:
    cities = data.cities[: max(FEWEST_CITIES, postings // POSTINGS_PER_CITY)]
    provinces = list(dict.fromkeys(city.province for city in cities))
    return _Stage(
        catalogue=data,
        cities=cities,
        occupation=_weighted([occupation.share for occupation in data.occupations]),
        job_city=_weighted([city.jobs for city in cities]),
        home_city=_weighted([city.people for city in cities]),
        occupation_codes=[code("cn-2022", occupation.code, occupation.name) for occupation in data.occupations],
        alike=[_alike(data.occupations, own) for own in range(len(data.occupations))],
        city_codes=[region(city.code, city.name) for city in cities],
        district_codes=[
            [
                region(district.code, Names(zh=city.name.zh + district.zh, en=f"{district.en}, {city.name.en}"))
                for district in city.districts
            ]
            for city in cities
        ],
        provinces=[region(province, data.provinces[province]) for province in provinces],
        province_of=[provinces.index(city.province) for city in cities],
        companies=max(1, postings // (POSTINGS_PER_COMPANY * len(cities) * len(data.sectors))),
    )


def _alike(occupations: Sequence[Occupation], own: int) -> list[int]:
    shared = {
        other: len(set(occupation.skills) & set(occupations[own].skills))
        for other, occupation in enumerate(occupations)
        if other != own
    }
    near = [other for other, skills in shared.items() if skills >= SHARED_SKILLS]
    return sorted(near, key=lambda other: -shared[other])[:MOST_ALIKE]


def _weighted(shares: Sequence[int]) -> Weighted:
    return Weighted(range(len(shares)), list(accumulate(shares)))


def _zipf(dice: Random, items: Sequence[T], count: int) -> list[T]:
    """`count` different ones, the one at rank r with weight 1/r, the rarest draw last.

    Efraimidis and Spirakis 2006: the largest of u ** (1 / weight), u uniform.
    """
    drawn = sorted(((dice.random() ** rank, rank) for rank in range(1, len(items) + 1)), reverse=True)
    return [items[rank - 1] for _, rank in drawn[:count]]


def chance(dice: Random, percent: int) -> bool:
    """True so many times of a hundred."""
    return dice.random() * 100 < percent


def _hundreds(amount: float) -> int:
    return round(amount / 100) * 100


# ----------------------------------------------------------------------------------------- postings
def _posting(stage: _Stage, dice: Random, posting_id: str, at: datetime) -> PartnerPosting:
    data = stage.catalogue
    chosen = stage.occupation.choose(dice)
    where = stage.job_city.choose(dice)
    occupation, city = data.occupations[chosen], stage.cities[where]
    sector = data.sectors[occupation.sector]
    districts = stage.district_codes[where]
    place = dice.choice(districts) if districts and chance(dice, 50) else stage.city_codes[where]
    skills = _zipf(dice, occupation.skills, dice.randint(5, 8))
    required = dice.randint(3, 5)
    often = [benefit for benefit in sector.often if chance(dice, 50)]
    benefits = [*sector.always, *often]
    low, high = _pay(occupation, city, dice)
    reference, employer = _company(stage, dice.randrange(stage.companies), sector.kind, where)
    openings = dice.choice(sector.openings)
    graduate = "graduate" in sector.key_groups
    body: dict[str, object] = {
        "id": posting_id,
        "sequence": 1,
        "changed_at": (at - timedelta(minutes=dice.randrange(1, 2880))).isoformat(),
        "employer_reference": reference,
        "employer_name": f"{employer['zh']} ({employer['en']})",
        "title": _title(occupation, city, benefits, dice),
        "occupation": stage.occupation_codes[chosen],
        "required_skills": [data.skills[skill] for skill in skills[:required]],
        "preferred_skills": [data.skills[skill] for skill in skills[required:]],
        "education": dice.choice(occupation.education),
        "experience_months": dice.choice(occupation.experience),
        "regions": [place],
        "remote": chance(dice, occupation.remote),
        "pay": {"min": low, "max": high, "currency": "CNY"},
        "employment_type": dice.choice(occupation.types),
        "openings": openings,
        "benefits": benefits,
        "valid_through": (at + timedelta(days=dice.randint(14, 60))).isoformat(),
        "description": _description(data, skills, employer, openings, (low, high)),
    }
    if occupation.licence and chance(dice, 85):
        body["licences"] = [data.licences[occupation.licence]]
    if chance(dice, 60 if graduate else 25):
        body["key_groups"] = [dice.choice(sector.key_groups)]
    return PartnerPosting(posting_id, _json(body))


def _pay(occupation: Occupation, city: City, dice: Random) -> tuple[int, int]:
    """More in the cities with many jobs; a range within the occupation's."""
    low, high = occupation.pay
    level = 0.85 + city.jobs / 200
    start = low + dice.random() * 0.4 * (high - low)
    return _hundreds(level * start), _hundreds(level * (start + (0.35 + dice.random() * 0.25) * (high - low)))


def _company(stage: _Stage, number: int, kind: Names, where: int) -> tuple[str, dict[str, str]]:
    """The reference and the name of one of a sector's companies in a city."""
    data, city = stage.catalogue, stage.cities[where]
    branch, index = divmod(number, len(data.company_words))
    word = data.company_words[(where * 7 + index + len(kind.en)) % len(data.company_words)]
    zh = f"{data.made_up.zh}{city.name.zh.removesuffix('市')}{word.zh}{kind.zh}有限公司"
    en = f"{data.made_up.en} {word.en} {kind.en}, {city.name.en}"
    if branch:
        zh, en = f"{zh}第{branch + 1}分公司", f"{en} {branch + 1}"
    return f"{city.code}-{kind.en.replace(' ', '-').lower()}-{number}", {"zh": zh, "en": en}


def _title(occupation: Occupation, city: City, benefits: Sequence[str], dice: Random) -> dict[str, str]:
    title = dice.choice(occupation.titles)
    zh, en = title.zh, title.en
    style = dice.randrange(10)
    if style in FREE_LIVING and "room" in benefits and "board" in benefits:
        return {"zh": f"{zh}（包吃住）", "en": f"{en}, room and board"}
    if style in INSURED and "housing_fund" in benefits:
        return {"zh": f"{zh}（五险一金）", "en": f"{en}, full insurance"}
    if style in NAMING_THE_CITY:
        return {"zh": f"{city.name.zh.removesuffix('市')} {zh}", "en": f"{en} in {city.name.en}"}
    if style in URGENT:
        return {"zh": f"急招{zh}", "en": f"{en} (start at once)"}
    return title.texts


def _description(
    data: Catalogue, skills: Sequence[str], employer: dict[str, str], openings: int, pay: tuple[int, int]
) -> dict[str, str]:
    names = [data.skill_names[skill] for skill in skills[:3]]
    zh, en = "、".join(name.zh for name in names), "; ".join(name.en for name in names)
    low, high = pay
    return {
        "zh": f"【示例数据】{employer['zh']}春季招聘{openings}人，月薪{low}～{high}元。主要工作：{zh}。",
        "en": f"[Example data] {employer['en']} hires {openings}, CNY {low} to {high} a month. Work: {en}.",
    }


# ----------------------------------------------------------------------------------------- seekers
def _seeker(stage: _Stage, dice: Random, seeker_id: str, at: datetime) -> bytes:
    data = stage.catalogue
    wanted = [stage.occupation.choose(dice)]
    others = stage.alike[wanted[0]]
    wanted += dice.sample(others, min(len(others), dice.choice((0, 0, 1, 1, 2))))
    occupation = data.occupations[wanted[0]]
    sector = data.sectors[occupation.sector]
    home = stage.home_city.choose(dice)
    mover = chance(dice, sector.movers)
    months = dice.choice(EXPERIENCE[:5] if "graduate" in sector.key_groups else EXPERIENCE)
    body: dict[str, object] = {
        "occupations": [stage.occupation_codes[index] for index in wanted],
        "skills": _skills(data, [data.occupations[index] for index in wanted], months, dice),
        "education": _education(occupation, dice),
        "lives_in": stage.city_codes[home],
        "regions": _destinations(stage, home, dice, mover=mover),
        "consent": {"matching": not chance(dice, 1)},
        "contact": _contact(data, seeker_id, dice),
    }
    if not chance(dice, 8):
        body["experience_months"] = months
    if mover or chance(dice, 30):
        body["key_groups"] = _key_groups(sector.key_groups, dice, mover=mover)
    return _json(body | _terms(data, occupation, dice, at))


def _terms(data: Catalogue, occupation: Occupation, dice: Random, at: datetime) -> dict[str, object]:
    """Facts that some seekers do not give."""
    terms: dict[str, object] = {}
    if occupation.licence and chance(dice, 80):
        terms["licences"] = [data.licences[occupation.licence]]
    elif chance(dice, 60):
        terms["licences"] = []
    if not chance(dice, 12):
        floor = _hundreds(occupation.pay[0] * (0.75 + 0.4 * dice.random()))
        terms["pay_floor"] = {"amount": floor, "currency": "CNY"}
    if occupation.remote and chance(dice, 50):
        terms["remote"] = True
    if chance(dice, 25):
        terms["employment_types"] = sorted({"full_time", dice.choice(occupation.types)})
    if chance(dice, 30):
        terms["benefits_needed"] = dice.sample(("pension", "medical", "work_injury", "room", "board"), 2)
    if chance(dice, 20):
        terms["available_from"] = (at + timedelta(days=dice.randint(1, 30))).isoformat()
    return terms


def _skills(data: Catalogue, wanted: Sequence[Occupation], months: int, dice: Random) -> list[dict[str, object]]:
    """Mostly of the first wanted occupation, a few of the second; levels grow with experience.

    Labels are left out, as a client that knows the code list would.
    """
    labels = _zipf(dice, wanted[0].skills, dice.randint(4, 9))
    if len(wanted) > 1:
        labels += _zipf(dice, wanted[1].skills, dice.randint(1, 3))
    top = 2 + min(months // 18, 3)
    return [
        {
            "scheme": data.skills[label]["scheme"],
            "code": data.skills[label]["code"],
            "level": dice.randint(max(1, top - 2), top),
        }
        for label in dict.fromkeys(labels)
    ]


def _education(occupation: Occupation, dice: Random) -> str:
    """Mostly what the occupation asks for, sometimes a level more."""
    level = str(dice.choice(occupation.education))
    if level in LEVELS[:-1] and chance(dice, 30):
        return LEVELS[LEVELS.index(level) + 1]
    return level


def _destinations(stage: _Stage, home: int, dice: Random, *, mover: bool) -> list[CodeDict]:
    """Where the seeker would work: at home, anywhere in the province, or where the jobs are."""
    if not mover:
        own = stage.provinces[stage.province_of[home]]
        return [own] if chance(dice, 40) else [stage.city_codes[home]]
    cities = dict.fromkeys(stage.job_city.choose(dice) for _ in range(dice.randint(2, 4)))
    if chance(dice, 50):
        provinces = dict.fromkeys(stage.province_of[city] for city in cities)
        return [stage.provinces[province] for province in provinces]
    return [stage.city_codes[city] for city in cities]


def _key_groups(groups: Sequence[str], dice: Random, *, mover: bool) -> list[str]:
    if mover and "migrant_worker" in groups:
        return ["migrant_worker"]
    return [dice.choice(groups)]


def _contact(data: Catalogue, seeker_id: str, dice: Random) -> dict[str, str]:
    """Nobody's: made-up names, and addresses in a domain that is reserved for examples (RFC 2606)."""
    name = f"{data.made_up.zh} {dice.choice(data.surnames)}{dice.choice(data.given_names)}"
    return {"name": name, "email": f"seeker-{seeker_id}@example.org"}


def _json(body: dict[str, object]) -> bytes:
    return _ENCODE(body).encode()
