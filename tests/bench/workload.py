"""A made-up country of a million people, as `postings.v1` and `profiles.v1` would carry it.

3,000 skills by Zipf, 5 to 20 a profile and 3 to 10 a posting; 500 occupations; 400 counties in 100 prefectures and
25 provinces; 3 % of the people would go anywhere in their province, or name no place. Everybody is active, every
posting open. Skills, occupations and places are drawn independently of each other.

The same seed gives the same people, in whatever pieces they are asked for: they are drawn by thousands (`CHUNK`),
each from a stream of its own, and made as they are read, so that they need no memory. Nothing is validated on the
way; `tests/unit/bench` does that for a sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np

from services.matcher.domain.ties import NO_TIES, Ties
from shared.contracts.common import Code, Education, Pay, PayFloor
from shared.contracts.postings import Posting, PostingSource, PostingStatus
from shared.contracts.profiles import Consent, Profile, ProfileStatus, Skill
from shared.regions import PROVINCES
from tests.bench.mixes import (
    BENEFITS,
    BENEFITS_NEEDED,
    CHUNK,
    COUNTIES,
    COUNTY,
    EDUCATION,
    EDUCATION_ASKED,
    EXPERIENCE_ASKED,
    KEY_GROUPS,
    KEY_GROUPS_PREFERRED,
    OCCUPATION,
    OCCUPATIONS,
    REMOTE,
    REMOTE_WANTED,
    SKILL,
    SKILLS,
    TYPE,
    TYPES_WANTED,
    Mix,
)

T = TypeVar("T")
M = TypeVar("M", Posting, Profile)
Columns = dict[str, Sequence[Any]]
"""By field: the values of one chunk."""

NOW: Final = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
LICENCES, EMPLOYERS = 12, 20_000
PARTS: Final = 4
"""Prefectures of a province, and counties of a prefecture."""
SUB_MAJOR_GROUPS: Final = (3, 4, 6, 5, 4, 4, 3, 5, 3, 6)
"""How many each major group of ISCO-08 has; the two digits below them are made up."""
CONSENT: Final = Consent(matching=True)
SOURCE: Final = PostingSource(partner="bench")
DESCRIPTION: Final = {"zh": "示例岗位：按班次工作，提供培训，工资按月发放，具体安排由用人单位在面试时说明。" * 4}


class Place(NamedTuple):
    """A county, with what lies around it."""

    county: Code
    prefecture: Code
    province: Code


def seeker_id(number: int) -> str:
    """Of the form that the profiles service gives: there is no order in them."""
    return f"s-{hashlib.blake2b(number.to_bytes(8), digest_size=16).hexdigest()}"


def posting_id(number: int) -> str:
    """Of the form that the postings service gives."""
    return f"p-{hashlib.blake2b(number.to_bytes(8), digest_size=16, salt=b'posting').hexdigest()}"


class Workload:
    """The code lists, and the people and postings that are made of them."""

    def __init__(self, ties: Ties = NO_TIES, seed: int = 1) -> None:
        self._seed = seed
        self._places = _places(ties)
        groups = [f"{major}{sub}" for major, count in enumerate(SUB_MAJOR_GROUPS) for sub in range(1, count + 1)]
        units = [f"{group}{minor}{unit}" for group in groups for minor in "123" for unit in "1234"]
        mixed: list[str] = np.random.default_rng(seed).permutation(units)[:OCCUPATIONS].tolist()
        self._occupations = [_code("isco-08", code, "职业", "Occupation") for code in mixed]
        self._skills = [_code("esco", key.removeprefix("esco:"), "技能", "Skill") for key in _skill_keys(ties)]
        self._owned = [
            Skill.model_construct(scheme=one.scheme, code=one.code, label=one.label, level=1 + place % 5)
            for place, one in enumerate(self._skills)
        ]
        self._licences = [_code("licence", f"L{number}", "证书", "Licence") for number in range(LICENCES)]
        self.regions = list(dict.fromkeys(region.key for place in self._places for region in place))
        """Keys of every region, occupation, skill and licence that anybody names."""
        self.occupations = [one.key for one in self._occupations]
        self.skills = [one.key for one in self._skills]
        self.licences = [one.key for one in self._licences]

    def profiles(self, start: int, stop: int) -> Iterator[Profile]:
        """Those with the numbers from `start` to below `stop`, version 1."""
        return _made(Profile, self._profiles, start, stop)

    def postings(self, start: int, stop: int) -> Iterator[Posting]:
        """Those with the numbers from `start` to below `stop`, version 1."""
        return _made(Posting, self._postings, start, stop)

    def changed_profiles(self, among: int, count: int, version: int) -> Iterator[Profile]:
        """Of the first `among` that many, in no order, with wholly other terms; all once before one again.

        The first round has that version, the next the one above.
        """
        fresh = self.profiles(among, among + count)
        return (one.model_copy(update=update) for one, update in zip(fresh, self._again(seeker_id, among, version)))  # noqa: B905 - the second never ends

    def changed_postings(self, among: int, count: int, version: int) -> Iterator[Posting]:
        """The same of postings."""
        fresh = self.postings(among, among + count)
        return (one.model_copy(update=update) for one, update in zip(fresh, self._again(posting_id, among, version)))  # noqa: B905 - the second never ends

    def breadths(self, among: int, count: int) -> dict[str, list[Posting]]:
        """Postings beyond the first `among`, by about how many percent of all people pass their gates.

        Occupation and skills are those of ordinary postings.
        """
        somewhere = self._places[COUNTIES // 2]
        anybody: dict[str, object] = {
            "regions": (),
            "remote": False,
            "education": None,
            "experience_months": None,
            "pay": None,
            "employment_type": None,
            "licences": (),
            "valid_through": None,
        }
        experienced = {"experience_months": 36}
        educated = experienced | {"education": Education.POST_SECONDARY}
        poorly_paid = educated | {"pay": Pay(min=3_000, max=3_500, currency="CNY")}
        terms = {
            "0.1": anybody | poorly_paid | {"regions": (somewhere.county,)},
            "2": anybody | experienced | {"regions": (somewhere.province,)},
            "20": anybody | educated,
            "100": anybody,
        }
        fresh = self.postings(among, among + count * len(terms))
        return {share: [one.model_copy(update=term) for one in islice(fresh, count)] for share, term in terms.items()}

    def _again(self, name: Callable[[int], str], among: int, version: int) -> Iterator[dict[str, object]]:
        order = np.random.default_rng([self._seed, version]).permutation(among).tolist()
        while True:
            for number in order:
                yield {"id": name(number), "version": version}
            version += 1

    def _profiles(self, chunk: int) -> Columns:
        dice = np.random.default_rng([self._seed, 1, chunk])
        numbers = range(chunk * CHUNK, (chunk + 1) * CHUNK)
        homes = COUNTY.draw(dice)
        counts = dice.choice(4, CHUNK, p=(0.02, 0.5, 0.3, 0.18)).tolist()
        wanted = zip(OCCUPATION.places(dice, CHUNK, 3).tolist(), counts, strict=True)
        return {
            "id": [seeker_id(number) for number in numbers],
            "version": [1] * CHUNK,
            "status": [ProfileStatus.ACTIVE] * CHUNK,
            "matchmakers": [(f"m-{number % 400}",) if number % 20 == 0 else () for number in numbers],
            "changed_at": [NOW] * CHUNK,
            "occupations": [tuple([self._occupations[o] for o in dict.fromkeys(own[:count])]) for own, count in wanted],
            "skills": [tuple([self._owned[skill] for skill in own]) for own in _skill_sets(dice, 5, 20)],
            "education": EDUCATION.draw(dice),
            "experience_months": _known(dice, 0.95, dice.gamma(1.5, 30, CHUNK).astype(int).clip(0, 600).tolist()),
            "licences": self._licences_of(dice, {None: 40, 0: 42, 1: 12, 2: 6}),
            "lives_in": _known(dice, 0.97, [self._places[home].county for home in homes]),
            "regions": self._wishes(dice, homes),
            "remote": REMOTE_WANTED.draw(dice),
            "pay_floor": _known(
                dice,
                0.9,
                [
                    PayFloor.model_construct(amount=amount, currency="CNY")
                    for amount in (2_000 + 500 * dice.poisson(4, CHUNK)).tolist()
                ],
            ),
            "employment_types": TYPES_WANTED.draw(dice),
            "available_from": [None] * CHUNK,
            "key_groups": KEY_GROUPS.draw(dice),
            "benefits_needed": BENEFITS_NEEDED.draw(dice),
            "consent": [CONSENT] * CHUNK,
        }

    def _postings(self, chunk: int) -> Columns:
        dice = np.random.default_rng([self._seed, 2, chunk])
        numbers = range(chunk * CHUNK, (chunk + 1) * CHUNK)
        occupations = [self._occupations[own] for own in OCCUPATION.draw(dice)]
        skills = [[self._skills[skill] for skill in own] for own in _skill_sets(dice, 3, 10)]
        pay = zip((2_500 + 500 * dice.poisson(5, CHUNK)).tolist(), (500 * dice.poisson(3, CHUNK)).tolist(), strict=True)
        ends = [NOW + timedelta(days=days) for days in dice.integers(1, 91, CHUNK).tolist()]
        return {
            "id": [posting_id(number) for number in numbers],
            "version": [1] * CHUNK,
            "status": [PostingStatus.OPEN] * CHUNK,
            "close_reason": [None] * CHUNK,
            "employer_id": [f"e-{number % EMPLOYERS:032x}" for number in numbers],
            "source": [SOURCE] * CHUNK,
            "published_at": [NOW] * CHUNK,
            "changed_at": [NOW] * CHUNK,
            "title": [one.label for one in occupations],
            "description": [DESCRIPTION] * CHUNK,
            "employer_name": [f"示例公司 {number % EMPLOYERS}" for number in numbers],
            "occupation": _known(dice, 0.97, occupations),
            "required_skills": [tuple(own[: (2 * len(own) + 2) // 3]) for own in skills],
            "preferred_skills": [tuple(own[(2 * len(own) + 2) // 3 :]) for own in skills],
            "education": EDUCATION_ASKED.draw(dice),
            "experience_months": EXPERIENCE_ASKED.draw(dice),
            "licences": self._licences_of(dice, {0: 93, 1: 7}),
            "regions": self._works(dice),
            "remote": REMOTE.draw(dice),
            "pay": _known(
                dice, 0.95, [Pay.model_construct(min=low, max=low + more, currency="CNY") for low, more in pay]
            ),
            "employment_type": TYPE.draw(dice),
            "openings": dice.integers(1, 20, CHUNK).tolist(),
            "benefits": BENEFITS.draw(dice),
            "key_groups": KEY_GROUPS_PREFERRED.draw(dice),
            "valid_through": _known(dice, 0.8, ends),
        }

    def _licences_of(self, dice: np.random.Generator, counts: Mapping[int | None, float]) -> list[object]:
        """So many, one after the other in the list; None where that is the count."""
        drawn = zip(dice.integers(0, LICENCES - 1, CHUNK).tolist(), Mix(counts).draw(dice), strict=True)
        return [None if count is None else tuple(self._licences[first : first + count]) for first, count in drawn]

    def _wishes(self, dice: np.random.Generator, homes: Sequence[int]) -> list[tuple[Code, ...]]:
        """Where people would work: one to three counties of their prefecture, all of it, or far from home.

        1 % name no region, 2 % their province.
        """
        kinds = Mix({"none": 1, "province": 2, "prefecture": 27, "far": 10, "1": 35, "2": 20, "3": 5}).draw(dice)
        found: list[tuple[Code, ...]] = []
        for kind, home, far in zip(kinds, homes, COUNTY.draw(dice), strict=True):
            place, first = self._places[home], home - home % PARTS
            match kind:
                case "none":
                    found.append(())
                case "province":
                    found.append((place.province,))
                case "prefecture":
                    found.append((place.prefecture,))
                case "far":
                    found.append((self._places[far].prefecture,))
                case count:
                    near = [first + (home + more) % PARTS for more in range(int(count))]
                    found.append(tuple([self._places[number].county for number in near]))
        return found

    def _works(self, dice: np.random.Generator) -> list[tuple[Code, ...]]:
        """Where the work is: one county or two, or a prefecture."""
        kinds = Mix({"county": 90, "two": 6, "prefecture": 4}).draw(dice)
        found: list[tuple[Code, ...]] = []
        for kind, one, other in zip(kinds, COUNTY.draw(dice), COUNTY.draw(dice), strict=True):
            places = self._places[one], self._places[other]
            found.append(
                (places[0].prefecture,)
                if kind == "prefecture"
                else tuple([place.county for place in (places if kind == "two" else places[:1])])
            )
        return found


def _made(model: type[M], columns: Callable[[int], Columns], start: int, stop: int) -> Iterator[M]:
    for chunk in range(start // CHUNK, -(-stop // CHUNK)):
        found, first = columns(chunk), chunk * CHUNK
        for values in islice(zip(*found.values(), strict=True), max(start - first, 0), min(stop - first, CHUNK)):
            yield model.model_construct(**dict(zip(found, values, strict=True)))


def _known(dice: np.random.Generator, share: float, values: Sequence[T]) -> list[T | None]:
    """The values, and None where they are unknown."""
    return [
        value if chance < share else None for value, chance in zip(values, dice.random(CHUNK).tolist(), strict=True)
    ]


def _skill_sets(dice: np.random.Generator, fewest: int, most: int) -> Iterator[list[int]]:
    """None twice; more are drawn than are needed, because Zipf's law repeats itself."""
    drawn = SKILL.places(dice, CHUNK, 2 * most + 10).tolist()
    counts = dice.integers(fewest, most + 1, CHUNK).tolist()
    return (list(dict.fromkeys(own))[:count] for own, count in zip(drawn, counts, strict=True))


def _places(ties: Ties) -> list[Place]:
    """Counties of which those of one prefecture follow each other: real ones if their centres are known."""
    found = []
    for county in _known_counties(ties) or _made_up_counties():
        codes = county, f"{county[:4]}00", f"{county[:2]}0000"
        found.append(Place(*[_code("gbt2260", code, "地区", "Region") for code in codes]))
    return found


def _made_up_counties() -> list[str]:
    """In the pattern of GB/T 2260."""
    provinces = list(PROVINCES.values())
    return [
        f"{provinces[number // PARTS**2]}{number // PARTS % PARTS + 1:02}{number % PARTS + 1:02}"
        for number in range(COUNTIES)
    ]


def _known_counties(ties: Ties) -> list[str]:
    """The first PARTS counties of the first PARTS prefectures of the first provinces that have so many."""
    below: dict[str, list[str]] = {}
    for code in sorted(key.removeprefix("gbt2260:") for key in ties.centres):
        if not code.endswith("00"):
            below.setdefault(code[:4], []).append(code)
    wide = [prefecture for prefecture, counties in below.items() if len(counties) >= PARTS]
    found: list[str] = []
    for _, group in groupby(wide, key=lambda prefecture: prefecture[:2]):
        prefectures = list(group)[:PARTS]
        if len(prefectures) == PARTS:
            found += [county for prefecture in prefectures for county in below[prefecture][:PARTS]]
    return found[:COUNTIES] if len(found) >= COUNTIES else []


def _skill_keys(ties: Ties) -> list[str]:
    """Those that most occupations name first, then made-up ones."""
    known = sorted(ties.namings.items(), key=lambda one: (-one[1], one[0]))
    return [*(key for key, _ in known), *(f"esco:bench-{number}" for number in range(SKILLS))][:SKILLS]


def _code(scheme: str, code: str, zh: str, en: str) -> Code:
    return Code(scheme=scheme, code=code, label={"zh": f"{zh} {code}", "en": f"{en} {code}"})
