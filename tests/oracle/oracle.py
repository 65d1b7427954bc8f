"""The recommendations that are right, computed slowly and obviously.

Shares no code with the services: it reads the JSON bodies of postings and profiles, and of the matching
policy only the numbers. What the rules are is written down here a second time, on purpose.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

Body = Mapping[str, Any]

POLICY = tomllib.loads((Path(__file__).parents[2] / "services/matcher/policy/v1.toml").read_text())
LEVELS = [
    "primary", "lower_secondary", "upper_secondary", "post_secondary",
    "short_cycle_tertiary", "bachelor", "master", "doctor",
]  # fmt: skip
# ISO 3166-2:CN and the first two digits of GB/T 2260.
CHINA = dict(  # noqa: C408 - shorter to read
    BJ="11", TJ="12", HE="13", SX="14", NM="15", LN="21", JL="22", HL="23", SH="31", JS="32", ZJ="33",
    AH="34", FJ="35", JX="36", SD="37", HA="41", HB="42", HN="43", GD="44", GX="45", HI="46", CQ="50",
    SC="51", GZ="52", YN="53", XZ="54", SN="61", GS="62", QH="63", NX="64", XJ="65", TW="71", HK="81",
    MO="82",
)  # fmt: skip
# ISO 3166-2:SE and SCB's counties.
SWEDEN = dict(  # noqa: C408
    AB="01", C="03", D="04", E="05", F="06", G="07", H="08", I="09", K="10", M="12", N="13", O="14", S="17",
    T="18", U="19", W="20", X="21", Y="22", Z="23", AC="24", BD="25",
)  # fmt: skip


@cache
def places(key: str) -> list[str]:
    """A region and all that contain it, the largest first."""
    scheme, code = key.split(":", 1)
    if scheme == "iso3166-2" and code.startswith("CN-") and code[3:] in CHINA:
        scheme, code = "gbt2260", CHINA[code[3:]] + "0000"
    if scheme == "iso3166-2" and code.startswith("SE-") and code[3:] in SWEDEN:
        scheme, code = "scb", SWEDEN[code[3:]]
    if scheme == "iso3166-1" and code in ("TW", "HK", "MO"):
        scheme, code = "gbt2260", CHINA[code] + "0000"
    if scheme == "gbt2260" and len(code) == 6 and code.isascii() and code.isdigit():
        found = ["iso3166-1:CN", f"gbt2260:{code[:2]}0000"]
        if code[2:] != "0000":
            found.append(f"gbt2260:{code[:4]}00")
        if code[4:] != "00":
            found.append(f"gbt2260:{code}")
        return found
    if scheme == "scb" and len(code) in (2, 4) and code.isascii() and code.isdigit():
        return ["iso3166-1:SE", f"scb:{code[:2]}"] + ([f"scb:{code}"] if len(code) == 4 else [])
    if scheme == "iso3166-2" and "-" in code and code.split("-", 1)[1]:
        return [f"iso3166-1:{code.split('-', 1)[0]}", f"{scheme}:{code}"]
    return [f"{scheme}:{code}"]


@cache
def lie(work: str, other: str) -> str:
    """How the place of work lies to another place."""
    work_places, other_places = places(work), places(other)
    if work_places[-1] == other_places[-1]:
        return "same"
    if other_places[-1] in work_places:
        return "within"
    if work_places[-1] in other_places:
        return "around"
    return "apart"


def closeness(first: str, second: str) -> int | None:
    """Of two occupations, in permille; None if they cannot be compared."""
    table = POLICY.get("related_occupations", {})
    found = [table.get(first, {}).get(second), table.get(second, {}).get(first), grouped(first, second)]
    return max((close for close in found if close is not None), default=None)


def grouped(first: str, second: str) -> int | None:
    """Closeness by the schemes' groups."""
    rules = POLICY["occupation"]
    if first == second:
        return int(rules["same"])
    (first_scheme, first_code), (second_scheme, second_code) = first.split(":", 1), second.split(":", 1)
    one, two = rules["schemes"].get(first_scheme), rules["schemes"].get(second_scheme)
    if one is None or two is None:
        return 0 if first_scheme == second_scheme else None
    if one["family"] != two["family"]:
        return None
    narrow, broad = one["narrow_length"], one["broad_length"]
    if first_scheme == second_scheme and shares(first_code, second_code, narrow):
        return int(rules["narrow_group"])
    return int(rules["broad_group"]) if shares(first_code, second_code, broad) else 0


def shares(first: str, second: str, length: int) -> bool:
    """Whether both codes are that long and begin alike."""
    return len(first) >= length and len(second) >= length and first[:length] == second[:length]


def key(code: Body | None) -> str | None:
    return None if code is None else f"{code['scheme']}:{code['code']}"


def keys(codes: Iterable[Body]) -> list[str]:
    """Without repetitions, in their order."""
    found: list[str] = []
    for code in codes:
        name = f"{code['scheme']}:{code['code']}"
        if name not in found:
            found.append(name)
    return found


def level(education: str | None) -> int | None:
    return None if education is None else LEVELS.index(education)


def weight(skills: Iterable[str]) -> int:
    table = POLICY["skill_weights"]
    return sum(table["weights"].get(skill, table["default"]) for skill in skills)


@dataclass
class Work:
    """A posting, read once."""

    body: Body

    def __post_init__(self) -> None:
        body = self.body
        self.id, self.version = body["id"], body["version"]
        self.live = body["status"] == "open"
        until = body.get("valid_through")
        self.until = None if until is None else datetime.fromisoformat(until)
        self.occupation = key(body.get("occupation"))
        self.required = keys(body.get("required_skills") or ())
        self.preferred = [skill for skill in keys(body.get("preferred_skills") or ()) if skill not in self.required]
        self.required_weight, self.preferred_weight = weight(self.required), weight(self.preferred)
        self.education = level(body.get("education"))
        self.experience = body.get("experience_months")
        self.licences = set(keys(body.get("licences") or ()))
        self.regions = keys(body.get("regions") or ())
        self.remote = body.get("remote", False)
        self.pay = body.get("pay")
        self.employment = body.get("employment_type")
        self.benefits = set(body.get("benefits") or ())
        self.groups = set(body.get("key_groups") or ())


@dataclass
class Person:
    """A profile, read once."""

    body: Body

    def __post_init__(self) -> None:
        body = self.body
        self.id, self.version = body["id"], body["version"]
        self.live = body["status"] == "active" and body["consent"]["matching"]
        self.occupations = keys(body.get("occupations") or ())
        self.skills = set(keys(body.get("skills") or ()))
        self.education = level(body.get("education"))
        self.experience = body.get("experience_months")
        licences = body.get("licences")
        self.licences = None if licences is None else set(keys(licences))
        self.home = key(body.get("lives_in"))
        self.regions = keys(body.get("regions") or ())
        self.remote = body.get("remote")
        self.floor = body.get("pay_floor")
        self.employment = set(body.get("employment_types") or ())
        self.groups = set(body.get("key_groups") or ())
        self.needs = set(body.get("benefits_needed") or ())


def place_gate(work: Work, person: Person) -> str:
    if lies_of(work, person):
        return "yes"
    missing = not work.regions or not person.regions or (work.remote and person.remote is None)
    return "unknown" if missing else "no"


def at_least(asked: int | None, has: int | None) -> str:
    if asked is None or has is None:
        return "unknown"
    return "yes" if has >= asked else "no"


def pay_gate(work: Work, person: Person) -> str:
    pay, floor = work.pay, person.floor
    if pay is None or floor is None or pay["currency"] != floor["currency"]:
        return "unknown"
    if pay.get("max") is None:
        return "yes" if pay["min"] >= floor["amount"] else "unknown"
    return "yes" if pay["max"] >= floor["amount"] else "no"


def employment_gate(work: Work, person: Person) -> str:
    if work.employment is None:
        return "unknown"
    return "yes" if not person.employment or work.employment in person.employment else "no"


def licence_gate(work: Work, person: Person) -> str:
    if not work.licences:
        return "yes"
    if person.licences is None:
        return "unknown"
    return "yes" if work.licences <= person.licences else "no"


GATES: dict[str, Callable[[Work, Person], str]] = {
    "region": place_gate,
    "education": lambda work, person: at_least(work.education, person.education),
    "experience": lambda work, person: at_least(work.experience, person.experience),
    "pay": pay_gate,
    "employment_type": employment_gate,
    "licences": licence_gate,
}


def lies_of(work: Work, person: Person) -> set[str]:
    """All ways in which the work is where the person would work."""
    found = {lie(region, wish) for region in work.regions for wish in person.regions} - {"apart"}
    return found | {"remote"} if work.remote and person.remote is True else found


def judge(work: Work, person: Person, now: datetime) -> dict[str, Any] | None:
    """An entry without the counterpart's id and version, or None if the pair may not be recommended."""
    if not work.live or not person.live or (work.until is not None and work.until <= now):
        return None
    answers = {name: gate(work, person) for name, gate in GATES.items()}
    if any(answers[name] == "no" for name in POLICY["gates"]):
        return None
    unknown = [name for name, answer in answers.items() if answer == "unknown" and name in POLICY["gates"]]
    close = best_closeness(work, person)
    required = [skill for skill in work.required if skill in person.skills]
    preferred = [skill for skill in work.preferred if skill in person.skills]
    has, likes = credited(work.required, person), credited(work.preferred, person)
    if not close and not has and not likes:
        return None
    most = {name: part["maximum"] for name, part in POLICY.items() if isinstance(part, dict) and "maximum" in part}
    points = {
        "occupation": half(most["occupation"]) if close is None else most["occupation"] * close // 1_000_000,
        "required_skills": part_of(most["required_skills"], has, 1000 * work.required_weight),
        "preferred_skills": part_of(most["preferred_skills"], likes, 1000 * work.preferred_weight),
        "education": {"unknown": half(most["education"]), "yes": most["education"]}.get(answers["education"], 0),
        "experience": experience_points(work, person),
        "place": place_points(work, person),
        "pay": half(most["pay"]) if answers["pay"] == "unknown" else pay_points(work, person),
        "benefits": benefit_points(work, person),
        "key_group": most["key_group"] if work.groups & person.groups else 0,
    }
    total = sum(points.values())
    if total < POLICY["minimum"]:
        return None
    return {
        "points": total,
        "components": points,
        "matched": required + preferred,
        "missing": [skill for skill in work.required if skill not in person.skills],
        "unknown": unknown + (["occupation"] if close is None else []),
    }


def credited(skills: Iterable[str], person: Person) -> int:
    """Their weights, each times the permille to which the person has it."""
    total = 0
    for skill in skills:
        near = POLICY.get("related_skills", {}).get(skill, {})
        best = 1000 if skill in person.skills else max((near.get(own, 0) for own in person.skills), default=0)
        total += weight([skill]) * best
    return total


def half(points: int) -> int:
    """Neutral: what a missing fact scores."""
    return points // 2


def part_of(maximum: int, part: int, whole: int) -> int:
    """Neutral if the posting names none."""
    return half(maximum) if whole == 0 else maximum * part // whole


def best_closeness(work: Work, person: Person) -> int | None:
    """In millionths."""
    if work.occupation is None:
        return None
    found = []
    for rank, wish in enumerate(person.occupations):
        close = closeness(work.occupation, wish)
        if close is not None:
            found.append(close * (1000 if rank == 0 else POLICY["occupation"]["later"]))
    return max(found, default=None)


def experience_points(work: Work, person: Person) -> int:
    most, full = POLICY["experience"]["maximum"], POLICY["experience"]["full_after_months"]
    if work.experience is None or person.experience is None:
        return half(most)
    above: int = min(person.experience - work.experience, full)
    return half(most) + half(most) * above // int(full)


def place_points(work: Work, person: Person) -> int:
    rules = POLICY["place"]
    nowhere = rules["unknown"] if place_gate(work, person) == "unknown" else 0
    points: int = max((rules[how] for how in lies_of(work, person)), default=nowhere)
    home = person.home
    if home is not None and any(lie(region, home) in ("same", "within") for region in work.regions):
        points += rules["home"]
    return min(points, int(rules["maximum"]))


def pay_points(work: Work, person: Person) -> int:
    """If the two can be compared: the middle of the range, or the end that is known, against the floor."""
    assert work.pay is not None
    assert person.floor is not None
    most, floor = POLICY["pay"]["maximum"], person.floor["amount"]
    if floor == 0:
        return int(most)
    ends = [end for end in (work.pay.get("min"), work.pay.get("max")) if end is not None]
    above = (ends[0] + ends[-1] - 2 * floor) * half(most) * 100
    points = half(most) + above // (2 * floor * POLICY["pay"]["full_above_percent"])
    return int(min(max(points, 0), most))


def benefit_points(work: Work, person: Person) -> int:
    neutral = half(POLICY["benefits"]["maximum"])
    if not person.needs:
        return neutral
    return neutral + neutral * len(work.benefits & person.needs) // len(person.needs)


def oracle_list(
    kind: str,
    anchor: Body | Work | Person,
    counterparts: Mapping[str, Body] | Mapping[str, Work] | Mapping[str, Person],
    now: datetime,
    k: int = 20,
) -> list[dict[str, Any]]:
    """The list of a posting (`kind` is `posting`) or of a seeker, best first.

    Bodies may be given as they are or, where many lists are asked of the same ones, read once by Work and
    Person.
    """
    own = anchor if isinstance(anchor, Work | Person) else (Work if kind == "posting" else Person)(anchor)
    found = []
    for other in counterparts.values():
        read = other if isinstance(other, Work | Person) else (Person if kind == "posting" else Work)(other)
        work, person = (own, read) if kind == "posting" else (read, own)
        assert isinstance(work, Work)
        assert isinstance(person, Person)
        entry = judge(work, person, now)
        if entry is not None:
            found.append({"id": read.id, "version": read.version, **entry})
    found.sort(key=lambda entry: (-entry["points"], entry["id"]))
    return found[:k]
