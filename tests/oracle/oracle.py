"""The recommendations that are right, computed slowly and obviously.

Shares no code with the services: it reads the JSON bodies of postings and profiles, of the matching policy only
the numbers, and of the taxonomy only its facts. What the rules are is written down here a second time, on purpose.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

from shared.settings import ServiceSettings
from shared.taxonomy import Taxonomy, load, place

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


class Known:
    """What a taxonomy says; nothing if there is none."""

    def __init__(self, taxonomy: Taxonomy | None) -> None:
        self.taxonomy = taxonomy
        self.kilometres: dict[tuple[str, str], float | None] = {}
        self.common_digits: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}
        """What was worked out once: taxonomies do not change."""
        self.places: dict[str, tuple[str, ...]] = {}
        self.namings: dict[str, int] = {}
        """By skill, how many occupations name it."""
        for occupation in () if taxonomy is None else taxonomy.occupations:
            assert taxonomy is not None
            for skill in set(taxonomy.essential(occupation.key)) | set(taxonomy.optional(occupation.key)):
                self.namings[skill] = self.namings.get(skill, 0) + 1

    def isco(self, key: str) -> tuple[str, ...]:
        """ISCO-08 groups of an occupation, if the policy asks for them."""
        if self.taxonomy is None or "unit_group" not in POLICY["occupation"]:
            return ()
        if key not in self.places:
            self.places[key] = self.taxonomy.isco(*key.split(":", 1))
        return self.places[key]

    def centre(self, region: str) -> tuple[float, float] | None:
        """Longitude and latitude in degrees."""
        found = None if self.taxonomy is None else self.taxonomy.regions.get(places(region)[-1])
        return None if found is None else (found.longitude, found.latitude)


class Told:
    """The taxonomy of this machine, as a service here would find it; tests may put another one in its place."""

    now: Known | None = None


def known() -> Known:
    if Told.now is None:
        settings = ServiceSettings()
        try:
            Told.now = Known(load(place(settings.taxonomy_file, settings.taxonomy_dir)))
        except FileNotFoundError:
            Told.now = Known(None)
    return Told.now


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
    """Closeness by the schemes' groups, and by those of ISCO-08."""
    if first == second:
        return int(POLICY["occupation"]["same"])
    found = (by_prefix(first, second), by_place(first, second))
    return max((close for close in found if close is not None), default=None)


def by_place(first: str, second: str) -> int | None:
    """Closeness in ISCO-08, where a place is known or, of a scheme built on it, its beginning is in the code."""
    rules = POLICY["occupation"]
    if not known().isco(first) and not known().isco(second):
        return None
    one, two = placed(first), placed(second)
    if one is None or two is None:
        return None
    pair = tuple(one), tuple(two)
    if pair not in known().common_digits:
        known().common_digits[pair] = common_digits(one, two)
    step = {4: "unit_group", 3: "narrow_group", 2: "broad_group"}.get(known().common_digits[pair])
    return 0 if step is None else int(rules[step])


def common_digits(one: Iterable[str], two: Iterable[str]) -> int:
    """By how many digits the closest of two sets of ISCO-08 codes agree, if that makes a group; else 0."""
    return max(
        (length for a in one for b in two for length in (2, 3, 4) if shares(a, b, length)),
        default=0,
    )


def placed(key: str) -> list[str] | None:
    """The codes of its groups; None if it is in no scheme of ISCO's family."""
    if known().isco(key):
        return list(known().isco(key))
    scheme, code = key.split(":", 1)
    rules = POLICY["occupation"]["schemes"].get(scheme)
    if rules is None or rules["family"] != "isco":
        return None
    # only isco-08 itself means the same by three digits as ISCO, and nobody knows of a fourth
    return [code[: rules["narrow_length"] if scheme == "isco-08" else rules["broad_length"]]]


def by_prefix(first: str, second: str) -> int | None:
    """Closeness by the schemes' own groups."""
    rules = POLICY["occupation"]
    (first_scheme, first_code), (second_scheme, second_code) = first.split(":", 1), second.split(":", 1)
    one, two = rules["schemes"].get(first_scheme), rules["schemes"].get(second_scheme)
    if one is None or two is None:
        return 0 if first_scheme == second_scheme else None
    if one["family"] != two["family"]:
        return None
    if first_scheme != second_scheme and (known().isco(first) or known().isco(second)):
        return 0
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
    return sum(map(weight_of, skills))


def weight_of(skill: str) -> int:
    table = POLICY["skill_weights"]
    if skill in table.get("weights", {}):
        return int(table["weights"][skill])
    namings, steps = known().namings.get(skill), table.get("rarity", [])
    if namings is None or not steps:
        return int(table["default"])
    wide_enough = [step["weight"] for step in steps if step["occupations"] >= namings]
    return int(wide_enough[0] if wide_enough else steps[-1]["weight"])


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
    """An entry without the counterpart's id and version, and what else is said of the pair; None if it may not be
    recommended.
    """  # noqa: D205 - one sentence
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
        "unknown": unknown + (["occupation"] if close is None else []) + distance_unknown(work, person),
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
    found, neutral = way(work, person), rules.get("way_unknown", 0)
    if found is None or "remote" in lies_of(work, person):
        found = max(neutral, found or 0)
    return min(points + found, int(rules["maximum"]))


def way(work: Work, person: Person) -> int | None:
    """Points for the way to the nearest region of which anything is known."""
    if person.home is None:
        return None
    steps, found = POLICY["place"].get("ways", []), []
    for region in work.regions:
        km = kilometres(region, person.home)
        if at_home(region, person.home):
            found.append(POLICY["place"]["home"])
        elif steps and km is not None:
            found.append(next((step["points"] for step in steps if km <= step["km"]), 0))
        elif not steps:
            found.append(0)
    return max(found, default=None)


def distance_unknown(work: Work, person: Person) -> list[str]:
    """Its name, if anybody would want to know the way."""
    wanted = POLICY["place"].get("ways") and "remote" not in lies_of(work, person)
    return ["distance"] if wanted and way(work, person) is None else []


def kilometres(work: str, home: str) -> float | None:
    """The way to work; None if it is not known, also where the work may be anywhere around the home."""
    found = known().kilometres
    if (work, home) not in found:
        found[work, home] = None if lie(work, home) == "around" else great_circle(work, home)
    return found[work, home]


def great_circle(one: str, other: str) -> float | None:
    """Kilometres between the centres of two regions, by the haversine formula."""
    centres = known().centre(one), known().centre(other)
    if centres[0] is None or centres[1] is None:
        return None
    east, north, other_east, other_north = map(radians, (*centres[0], *centres[1]))
    half_north, half_east = sin((north - other_north) / 2), sin((east - other_east) / 2)
    return 2 * 6371.0088 * asin(sqrt(half_north**2 + cos(north) * cos(other_north) * half_east**2))


def at_home(region: str, home: str) -> bool:
    return lie(region, home) in {"same", "within"}


def evidence(work: Work, person: Person, for_key_groups: int) -> dict[str, Any]:
    """What else a sentence needs; nothing that is absent, zero or empty."""
    home = person.home
    ways = sorted(km for one in work.regions if home is not None and (km := kilometres(one, home)) is not None)
    lives_there = person.home is not None and any(at_home(one, person.home) for one in work.regions)
    found: dict[str, Any] = {
        "same_occupation": work.occupation is not None and work.occupation in person.occupations,
        "required": len(work.required),
        "preferred": len(work.preferred),
        "related": [pair for skill in work.required + work.preferred for pair in stood_in(skill, person)],
        "at_home": lives_there,
        "remote": work.remote and person.remote is True,
        "benefits_needed": len(person.needs),
        "benefits": {*work.benefits} & person.needs,
        "key_groups": work.groups & person.groups if for_key_groups else (),
    }
    found = {name: sorted(value) if isinstance(value, set) else value for name, value in found.items() if value}
    if work.education is not None and person.education is not None:
        found |= {"education_asked": LEVELS[work.education], "education": LEVELS[person.education]}
    if work.experience is not None and person.experience is not None:
        found |= {"months_asked": work.experience, "months": person.experience}
    if ways and not lives_there:
        found["km"] = round(ways[0])
    if pay_gate(work, person) != "unknown":
        assert work.pay is not None
        assert person.floor is not None
        found["currency"] = work.pay["currency"]
        for end in ("min", "max"):
            if work.pay.get(end) is not None:
                found["pay_low" if end == "min" else "pay_high"] = work.pay[end] - person.floor["amount"]
    return found


def stood_in(skill: str, person: Person) -> list[list[str]]:
    """A skill that the person does not name, and the one of theirs that counts most for it."""
    if skill in person.skills:
        return []
    near = POLICY.get("related_skills", {}).get(skill, {})
    most = max((near[own] for own in near if own in person.skills), default=0)
    return [[skill, next(own for own in near if own in person.skills and near[own] == most)]] if most else []


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
            said = partial(evidence, work, person, entry["components"]["key_group"])
            found.append(({"id": read.id, "version": read.version, **entry}, said))
    found.sort(key=lambda pair: (-pair[0]["points"], pair[0]["id"]))
    return [entry | {"evidence": said()} for entry, said in found[:k]]
