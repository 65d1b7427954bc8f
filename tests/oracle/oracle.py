"""The recommendations that are right, computed slowly and obviously.

Shares no code with the services: it reads the JSON bodies of postings and profiles, of the matching policy only
the numbers, and of the taxonomy only its facts. What the rules are is written down here a second time, on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from tests.oracle import facts
from tests.oracle.facts import kilometres
from tests.oracle.occupations import closeness
from tests.oracle.places import at_home, lie
from tests.oracle.sides import LEVELS, Body, Person, Work


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
    answers: dict[str, str] = {}
    for name, gate in GATES.items():
        answers[name] = gate(work, person)
        if answers[name] == "no" and name in facts.POLICY["gates"]:
            return None
    unknown = [name for name, answer in answers.items() if answer == "unknown" and name in facts.POLICY["gates"]]
    close = best_closeness(work, person)
    required = [skill for skill in work.required if skill in person.skills]
    preferred = [skill for skill in work.preferred if skill in person.skills]
    has, likes = credited(work.required, work, person), credited(work.preferred, work, person)
    if not close and not has and not likes:
        return None
    most = {
        name: part["maximum"] for name, part in facts.POLICY.items() if isinstance(part, dict) and "maximum" in part
    }
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
    if total < facts.POLICY["minimum"]:
        return None
    return {
        "points": total,
        "components": points,
        "matched": required + preferred,
        "missing": [skill for skill in work.required if skill not in person.skills],
        "unknown": unknown + (["occupation"] if close is None else []) + distance_unknown(work, person),
    }


def credited(skills: Iterable[str], work: Work, person: Person) -> int:
    """Their weights, each times the permille to which the person has it."""
    total = 0
    for skill in skills:
        near = facts.POLICY.get("related_skills", {}).get(skill, {})
        others = (credit for own, credit in near.items() if own in person.skills)
        best = 1000 if skill in person.skills else max(others, default=0)
        total += work.weights[skill] * best
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
            found.append(close * (1000 if rank == 0 else facts.POLICY["occupation"]["later"]))
    return max(found, default=None)


def experience_points(work: Work, person: Person) -> int:
    most, full = facts.POLICY["experience"]["maximum"], facts.POLICY["experience"]["full_after_months"]
    if work.experience is None or person.experience is None:
        return half(most)
    above: int = min(person.experience - work.experience, full)
    return half(most) + half(most) * above // int(full)


def place_points(work: Work, person: Person) -> int:
    rules = facts.POLICY["place"]
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
    steps, found = facts.POLICY["place"].get("ways", []), []
    for region in work.regions:
        km = kilometres(region, person.home)
        if at_home(region, person.home):
            found.append(facts.POLICY["place"]["home"])
        elif steps and km is not None:
            found.append(next((step["points"] for step in steps if km <= step["km"]), 0))
        elif not steps:
            found.append(0)
    return max(found, default=None)


def distance_unknown(work: Work, person: Person) -> list[str]:
    """Its name, if anybody would want to know the way."""
    wanted = facts.POLICY["place"].get("ways") and "remote" not in lies_of(work, person)
    return ["distance"] if wanted and way(work, person) is None else []


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
    near = facts.POLICY.get("related_skills", {}).get(skill, {})
    most = max((near[own] for own in near if own in person.skills), default=0)
    return [[skill, next(own for own in near if own in person.skills and near[own] == most)]] if most else []


def pay_points(work: Work, person: Person) -> int:
    """If the two can be compared: the middle of the range, or the end that is known, against the floor."""
    assert work.pay is not None
    assert person.floor is not None
    most, floor = facts.POLICY["pay"]["maximum"], person.floor["amount"]
    if floor == 0:
        return int(most)
    ends = [end for end in (work.pay.get("min"), work.pay.get("max")) if end is not None]
    above = (ends[0] + ends[-1] - 2 * floor) * half(most) * 100
    points = half(most) + above // (2 * floor * facts.POLICY["pay"]["full_above_percent"])
    return int(min(max(points, 0), most))


def benefit_points(work: Work, person: Person) -> int:
    neutral = half(facts.POLICY["benefits"]["maximum"])
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
