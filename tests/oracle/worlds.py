"""Made-up worlds in which much is alike, so that gates fail one by one and points tie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

Body = dict[str, Any]

START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
REGIONS = [
    ("gbt2260", "370102"),
    ("gbt2260", "370103"),
    ("gbt2260", "370100"),
    ("gbt2260", "370000"),
    ("iso3166-2", "CN-SD"),
    ("gbt2260", "500233"),
    ("iso3166-2", "CN-CQ"),
    ("iso3166-1", "CN"),
    ("iso3166-1", "HK"),
    ("gbt2260", "810001"),
    ("scb", "0180"),
    ("scb", "01"),
    ("iso3166-2", "SE-AB"),
    ("iso3166-1", "SE"),
    ("iso3166-2", "DE-BY"),
    ("iso3166-1", "DE"),
    ("made-up", "37"),
]
OCCUPATIONS = [
    ("isco-08", "7212"),
    ("isco-08", "7213"),
    ("isco-08", "7221"),
    ("isco-08", "72"),
    ("isco-08", "7"),
    ("ssyk-2012", "7212"),
    ("ssyk-2012", "7219"),
    ("cn-2022", "6-18-02-04"),
    ("cn-2022", "6-18-02-01"),
    ("cn-2022", "6-18-04-01"),
    ("cn-2022", "6-29-01-01"),
    ("esco", "welder"),
    ("esco", "cutter"),
    ("onet-soc", "51-4121.00"),
    ("onet-soc", "51-4122.00"),
    ("onet-soc", "51-9199.01"),
]
# The first weighs less than the others (compare the policy).
SKILLS = [("esco", "03b9b491-fc9b-4868-914a-bf7cd47b5041"), *(("esco", f"skill-{n}") for n in range(11))]
LICENCES = [("licence", "B"), ("licence", "C"), ("licence", "welding")]
EDUCATIONS = ["primary", "upper_secondary", "bachelor"]
TYPES = ["full_time", "part_time", "seasonal"]
BENEFITS = ["pension", "room", "board", "transport"]
GROUPS = ["graduate", "veteran"]


def codes(random: Random, pool: list[tuple[str, str]], most: int) -> list[Body]:
    """Up to `most` of them; the same one may come twice."""
    return [{"scheme": scheme, "code": code} for scheme, code in random.choices(pool, k=random.randint(0, most))]


def one(random: Random, pool: list[tuple[str, str]]) -> Body:
    scheme, code = random.choice(pool)
    return {"scheme": scheme, "code": code}


def some(random: Random, pool: list[str], most: int) -> list[str]:
    return random.sample(pool, random.randint(0, most))


def maybe(random: Random, value: object, known: float = 0.7) -> object:
    """The value, or None where it is unknown."""
    return value if random.random() < known else None


def pay(random: Random) -> Body:
    low, high = sorted(random.choices(range(2000, 9000, 500), k=2))
    body: Body = {"currency": random.choices(["CNY", "SEK"], [5, 1])[0]}
    ends = random.choice([("min",), ("max",), ("min", "max"), ("min", "max")])
    body |= {name: value for name, value in (("min", low), ("max", high)) if name in ends}
    return body


def posting(random: Random, posting_id: str, version: int = 1, *, open_share: float = 0.9) -> Body:
    """A body as on `postings.v1`."""
    is_open = random.random() < open_share
    return {
        "id": posting_id,
        "version": version,
        "status": "open" if is_open else "closed",
        "close_reason": None if is_open else "filled",
        "employer_id": f"employer-{random.randint(1, 5)}",
        "published_at": START.isoformat(),
        "changed_at": START.isoformat(),
        "title": {"zh": "焊工", "en": "Welder"},
        "occupation": maybe(random, one(random, OCCUPATIONS), 0.9),
        "required_skills": codes(random, SKILLS, 5),
        "preferred_skills": codes(random, SKILLS, 3),
        "education": maybe(random, random.choice(EDUCATIONS)),
        "experience_months": maybe(random, random.choice([0, 6, 12, 24])),
        "licences": codes(random, LICENCES, 1),
        "regions": codes(random, REGIONS, 2),
        "remote": random.random() < 0.2,
        "pay": maybe(random, pay(random)),
        "employment_type": maybe(random, random.choice(TYPES)),
        "benefits": some(random, BENEFITS, 3),
        "key_groups": some(random, GROUPS, 1),
        "valid_through": maybe(random, (START + timedelta(hours=random.randint(-1, 5))).isoformat(), 0.5),
    }


def profile(random: Random, seeker_id: str, version: int = 1, *, active_share: float = 0.9) -> Body:
    """A body as on `profiles.v1`."""
    return {
        "id": seeker_id,
        "version": version,
        "status": "active" if random.random() < active_share else random.choice(["paused", "withdrawn"]),
        "consent": {"matching": random.random() < 0.95},
        "matchmakers": some(random, ["mm-1", "mm-2"], 2),
        "changed_at": START.isoformat(),
        "occupations": codes(random, OCCUPATIONS, 3),
        "skills": [{**skill, "level": random.choice([None, 1, 5])} for skill in codes(random, SKILLS, 8)],
        "education": maybe(random, random.choice(EDUCATIONS)),
        "experience_months": maybe(random, random.choice([0, 6, 13, 24, 60])),
        "licences": maybe(random, codes(random, LICENCES, 3)),
        "lives_in": maybe(random, one(random, REGIONS)),
        "regions": codes(random, REGIONS, 3),
        "remote": maybe(random, random.random() < 0.5),
        "pay_floor": maybe(
            random,
            {
                "amount": random.choice([0, 1, 3000, 4000, 5000]),
                "currency": random.choices(["CNY", "SEK"], [5, 1])[0],
            },
        ),
        "employment_types": some(random, TYPES, 2),
        "key_groups": some(random, GROUPS, 1),
        "benefits_needed": some(random, BENEFITS, 2),
    }
