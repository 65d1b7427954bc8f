"""What partners and seekers of a made-up region say: few words, so that much is alike and points tie."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

Terms = dict[str, Any]

Pool = list[tuple[str, str]]
# Groups of several schemes; 72 is shared by ISCO-08 and SSYK 2012, the rest is only near its own kind.
OCCUPATIONS: Pool = [
    ("isco-08", "7212"),
    ("isco-08", "7213"),
    ("isco-08", "5120"),
    ("isco-08", "2221"),
    ("ssyk-2012", "7212"),
    ("ssyk-2012", "5120"),
    ("cn-2022", "6-18-02-04"),
    ("cn-2022", "6-18-02-01"),
    ("cn-2022", "4-03-02-01"),
    ("esco", "cook"),
]
# The first two weigh less than the others (compare the matching policy).
SKILLS: Pool = [
    ("esco", "03b9b491-fc9b-4868-914a-bf7cd47b5041"),
    ("esco", "1a3660c2-011c-4e96-9b1d-529afc305428"),
    *(("esco", f"skill-{number}") for number in range(10)),
    *(("jobtech", f"skill-{number}") for number in range(4)),
]
# Shandong and Sweden, from the country down, under several names.
REGIONS: Pool = [
    ("gbt2260", "370102"),
    ("gbt2260", "370103"),
    ("gbt2260", "370100"),
    ("gbt2260", "370200"),
    ("gbt2260", "500233"),
    ("gbt2260", "110105"),
    ("iso3166-2", "CN-SD"),
    ("scb", "0180"),
    ("scb", "1480"),
    ("scb", "14"),
    ("iso3166-2", "SE-AB"),
    ("iso3166-1", "SE"),
]
LICENCES: Pool = [("licence", "B"), ("licence", "C"), ("licence", "welding")]
EDUCATIONS = ["lower_secondary", "upper_secondary", "bachelor"]
TYPES = ["full_time", "part_time", "seasonal"]
BENEFITS = ["pension", "medical", "room", "board"]
GROUPS = ["graduate", "migrant_worker", "veteran"]
CURRENCIES = ["CNY", "CNY", "CNY", "SEK"]


def posting_terms(random: Random, *, ends: datetime | None = None) -> Terms:
    """A vacancy in our own form, without id and order; `ends` is its `valid_through`."""
    required = _codes(random, SKILLS, 1, 4)
    others = [skill for skill in _codes(random, SKILLS, 0, 3) if skill not in required]
    low = random.randrange(3000, 8000, 500)
    terms: Terms = {
        "title": {"zh": "岗位", "en": random.choice(["Welder", "Cook", "Nurse", "Inspector"])},
        "employer_name": f"Made-up company {random.choice('ABCDEF')}",
        "required_skills": required,
        "preferred_skills": others,
        "licences": _codes(random, LICENCES, 0, 1),
        "regions": _codes(random, REGIONS, 0, 2) or _codes(random, REGIONS, 0, 1),
        "remote": random.random() < 0.1,
        "benefits": _some(random, BENEFITS, 3),
        "key_groups": _some(random, GROUPS, 1),
        "openings": random.randint(1, 9),
    }
    if ends is not None:
        terms["valid_through"] = ends.isoformat()
    unsure: Terms = {
        "occupation": _code(random.choice(OCCUPATIONS)),
        "education": random.choice(EDUCATIONS),
        "experience_months": random.choice([0, 6, 12, 36]),
        "employment_type": random.choice(TYPES),
        "pay": random.choice([{"min": low}, {"max": low + 1500}, {"min": low, "max": low + 1500}])
        | {"currency": random.choice(CURRENCIES)},
    }
    return terms | _known(random, unsure)


def profile_terms(random: Random) -> Terms:
    """A profile as a seeker sends it in."""
    terms: Terms = {
        "occupations": _codes(random, OCCUPATIONS, 0, 2) or _codes(random, OCCUPATIONS, 1, 1),
        "skills": [_level(random, skill) for skill in _codes(random, SKILLS, 0, 6)],
        "regions": _codes(random, REGIONS, 0, 2) or _codes(random, REGIONS, 0, 1),
        "employment_types": _some(random, TYPES, 2),
        "key_groups": _some(random, GROUPS, 1),
        "benefits_needed": _some(random, BENEFITS, 2),
        "consent": {"matching": random.random() < 0.97},
    }
    unsure: Terms = {
        "education": random.choice(EDUCATIONS),
        "experience_months": random.choice([0, 6, 13, 60]),
        "licences": _codes(random, LICENCES, 0, 3),
        "lives_in": _code(random.choice(REGIONS)),
        "remote": random.random() < 0.5,
        "pay_floor": {"amount": random.randrange(0, 8000, 1000), "currency": random.choice(CURRENCIES)},
    }
    return terms | _known(random, unsure)


def _code(named: tuple[str, str]) -> Terms:
    scheme, code = named
    return {"scheme": scheme, "code": code}


def _codes(random: Random, pool: Pool, least: int, most: int) -> list[Terms]:
    return [_code(named) for named in random.sample(pool, random.randint(least, most))]


def _level(random: Random, skill: Terms) -> Terms:
    level = random.choice([None, 2, 4])
    return skill if level is None else skill | {"level": level}


def _some(random: Random, pool: list[str], most: int) -> list[str]:
    return random.sample(pool, random.randint(0, most))


def _known(random: Random, facts: Terms) -> Terms:
    """Only some of them are known."""
    return {name: fact for name, fact in facts.items() if random.random() < 0.75}
