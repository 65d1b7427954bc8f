"""Made-up seekers who could have applied for postings in our own form: drawn from what is read in their words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final

from deploy.demo.sayings import Sayings
from deploy.demo.season import chance

NAMES: Final = ("Avery", "Blake", "Casey", "Drew", "Ellis", "Frankie", "Jordan", "Morgan", "Quinn", "Riley")
SURNAMES: Final = ("Example", "Exampleson", "Examplewood", "Exampleton")
USUAL_EDUCATION: Final = {
    "1": ("bachelor", "master"),
    "2": ("bachelor", "bachelor", "master"),
    "3": ("post_secondary", "short_cycle_tertiary", "bachelor"),
    "9": ("lower_secondary", "upper_secondary"),
}
"""By the major group of ISCO-08, and of what is built on it: 2 are occupations that need higher education, 9 those
that need none."""
MONTHS: Final = (0, 6, 12, 24, 36, 60, 120)


def seekers(postings: Sequence[Mapping[str, Any]], seed: int, count: int, sayings: Sayings) -> Iterator[bytes]:
    """So many, one for each of the postings in turn, which are spread over all if there are fewer seekers."""
    dice = Random(f"{seed}/feed")  # noqa: S311 - no cryptography
    chosen = [postings[number * len(postings) // count] for number in range(min(count, len(postings)))]
    read = sayings.read([(one["title"]["en"], one.get("description", {}).get("en", "")) for one in chosen])
    for number in range(count):
        place = number % len(chosen)
        yield json.dumps(_seeker(chosen[place], *read[place], number, dice, sayings), ensure_ascii=False).encode()


def _seeker(  # noqa: PLR0913, PLR0917, RUF100
    posting: Mapping[str, Any],
    units: Sequence[str],
    named: Sequence[str],
    number: int,
    dice: Random,
    sayings: Sayings,
) -> dict[str, object]:
    name = f"Example {dice.choice(NAMES)} {dice.choice(SURNAMES)}"
    body: dict[str, object] = {
        "consent": {"matching": True},
        "contact": {"name": name, "email": f"seeker-{number:04d}@example.org"},
    }
    if regions := posting.get("regions"):
        body |= {"lives_in": regions[0], "regions": regions}
    months = dice.choice(MONTHS) if chance(dice, 80) else None
    if months is not None:
        body["experience_months"] = months
    skills = [skill for skill in named if chance(dice, 80)]
    body["words"] = sayings.words(units, skills, months, dice) or posting["title"]["en"]
    major = units[0].partition(":")[2][:1] if units else ""
    body["education"] = dice.choice(USUAL_EDUCATION.get(major, ("upper_secondary",)))
    pay = posting.get("pay")
    if pay and "min" in pay and chance(dice, 50):
        body["pay_floor"] = {"amount": int(pay["min"] * dice.uniform(0.7, 1.0)), "currency": pay["currency"]}
    return body
