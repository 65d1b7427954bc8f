"""Real JobTech ads as a partner's records, and made-up seekers drawn from them.

All dates are moved by one constant, so that ads of past years are open: the earliest last day of publication
comes to lie a week ahead. Years from 2050 on are JobTech's "no end" and stay as they are.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from deploy.demo.feeds.drawn import MONTHS, USUAL_EDUCATION
from deploy.demo.material import Material, Size, as_record
from deploy.demo.sayings import Sayings
from deploy.demo.season import PartnerPosting, chance

Ad = dict[str, object]
"""One record of the feed, as it came."""

DATES: Final = ("publication_date", "last_publication_date", "application_deadline", "removed_date")
NO_END: Final = 2050
AHEAD: Final = timedelta(days=7)

NAMES: Final = ("Alva", "Elsa", "Maja", "Vera", "Astrid", "Hugo", "Liam", "Nils", "Olle", "Sixten")
SURNAMES: Final = ("Exempelsson", "Exempelberg", "Exempelström", "Exempelgren")
EDUCATION: Final = {
    "gymnasial utbildning": "upper_secondary",
    "eftergymnasial utbildning kortare än två år": "post_secondary",
    "eftergymnasial utbildning två år eller längre": "bachelor",
    "forskarutbildning": "doctor",
}
"""What a seeker drawn from an ad has who fulfils what it asks for, by JobTech's label."""
COUNTY_DIGITS: Final = 2


def material(path: Path, seed: int, more_seekers: int, now: datetime) -> Material:
    """All ads of a file of JSON lines (may be gzipped), and about one seeker for each, who says it in words.

    Raises OSError if the file cannot be read, ValueError if it holds no ads, FileNotFoundError without a taxonomy.
    """
    ads, sayings = _read(path), Sayings()
    shift = shift_of(ads, now)
    size = Size(len(ads), len(ads))
    return Material(
        partner="jobtech",
        partner_name="JobTech (real ads, Sweden)",
        postings=(_posting(shifted(ad, shift)) for ad in ads),
        seekers=_seekers(ads, seed, size.seekers + more_seekers, sayings),
        size=size,
        changed=_changed,
        notes=(
            f"{len(ads)} real ads from {path.name}. All their dates are moved by {shift.days} days.",
            f"The first ends in {AHEAD.days} days; years from {NO_END} on mean no end, and stay.",
            "The seekers are made up, drawn from the ads' own occupation groups, requirements and places; what they",
            "look for and can do they say in words only, Chinese or English.",
        ),
    )


def _read(path: Path) -> list[Ad]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    try:
        ads = [json.loads(line) for line in content.splitlines() if line.strip()]
    except ValueError as error:
        raise ValueError(f"{path} is no file of JSON lines: {error}") from error
    if not ads or not all(isinstance(ad, dict) and "id" in ad for ad in ads):
        raise ValueError(f"{path} holds no JobTech ads: one JSON object with an id on each line")
    return ads


# ----------------------------------------------------------------------------------------- dates
def shift_of(ads: Sequence[Ad], now: datetime) -> timedelta:
    """The constant, in whole days: the earliest last day of publication comes to lie `AHEAD` of `now`."""
    ends = [moment for ad in ads if (moment := _date(ad.get("last_publication_date")))]
    first = min((end for end in ends if end.year < NO_END), default=now.replace(tzinfo=None))
    return timedelta(days=(now.replace(tzinfo=None) - first + AHEAD).days + 1)


def shifted(ad: Ad, shift: timedelta) -> Ad:
    """The ad with all its dates moved."""
    moved = dict(ad)
    for name in DATES:
        moment = _date(ad.get(name))
        if moment is not None and moment.year < NO_END:
            moved[name] = (moment + shift).isoformat()
    stamp = ad.get("timestamp")
    if isinstance(stamp, int) and datetime.fromtimestamp(stamp / 1000, UTC).year < NO_END:
        moved["timestamp"] = stamp + shift // timedelta(milliseconds=1)
    return moved


def _date(value: object) -> datetime | None:
    """JobTech's times are local and have no offset."""
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None


# ----------------------------------------------------------------------------------------- postings
def _posting(ad: Ad) -> PartnerPosting:
    return as_record(str(ad["id"]), ad, "JobTechAdPublished")


def _changed(posting: PartnerPosting) -> PartnerPosting:
    ad: Ad = json.loads(posting.body)
    openings, stamp = ad.get("number_of_vacancies"), ad.get("timestamp")
    ad["number_of_vacancies"] = 1 + (openings if isinstance(openings, int) else 1)
    if isinstance(stamp, int):
        ad["timestamp"] = stamp + 1
    return _posting(ad)


# ----------------------------------------------------------------------------------------- seekers
def _seekers(ads: Sequence[Ad], seed: int, count: int, sayings: Sayings) -> Iterator[bytes]:
    """One for each ad in turn, who could have applied for it, give or take."""
    dice = Random(f"{seed}/feed")  # noqa: S311 - no cryptography
    groups: dict[str, list[Mapping[str, object]]] = defaultdict(list)
    for ad in ads:
        groups[_group(ad)[0]].append(ad)
    for number in range(count):
        ad = ads[number % len(ads)]
        yield json.dumps(_seeker(ad, groups[_group(ad)[0]], number, dice, sayings), ensure_ascii=False).encode()


def _seeker(
    ad: Mapping[str, object], alike: Sequence[Mapping[str, object]], number: int, dice: Random, sayings: Sayings
) -> dict[str, object]:
    group, _ = _group(ad)
    name = f"Exempel {dice.choice(NAMES)} {dice.choice(SURNAMES)}"
    body: dict[str, object] = {
        "consent": {"matching": True},
        "contact": {"name": name, "email": f"seeker-{number:04d}@example.org"},
    }
    home, regions = _places(ad, dice)
    body |= home
    if regions:
        body["regions"] = regions
    months = dice.choice(MONTHS) if chance(dice, 80) else None
    if months is not None:
        body["experience_months"] = months
    skills = dict.fromkeys([skill for skill in _skills(ad, sayings) if chance(dice, 90)])
    skills |= dict.fromkeys(skill for skill in _skills(dice.choice(alike), sayings) if chance(dice, 60))
    body["words"] = sayings.words(sayings.units("ssyk-2012", group), skills, months, dice)
    levels = _labels(_first(ad.get("must_have")).get("education_level"))
    asked = [EDUCATION[level.casefold()] for level in levels if level.casefold() in EDUCATION]
    body["education"] = dice.choice(asked or USUAL_EDUCATION.get(group[:1], ("upper_secondary",)))
    licences = [label.upper() for label in _labels(ad.get("driving_license"))]
    if licences or chance(dice, 50):
        held = licences or dice.choice(([], ["B"]))
        body["licences"] = [{"scheme": "licence", "code": licence} for licence in dict.fromkeys(held)]
    if chance(dice, 30):
        body["employment_types"] = ["full_time"]
    return body


def _skills(ad: Mapping[str, object], sayings: Sayings) -> tuple[str, ...]:
    """Keys of the skills that its words name."""
    text = ad.get("description")
    body = text.get("text") if isinstance(text, dict) else None
    return sayings.skills("sv", str(ad.get("headline") or ""), str(body or ""))


def _group(ad: Mapping[str, object]) -> tuple[str, str]:
    """Code and label of the SSYK 2012 group; the code is empty if the ad has none."""
    group = _first(ad.get("occupation_group"))
    return str(group.get("legacy_ams_taxonomy_id") or ""), str(group.get("label") or "")


def _places(ad: Mapping[str, object], dice: Random) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Where somebody lives who might want the ad, and where they would work: there, or in the county."""
    address = _first(ad.get("workplace_address"))
    municipality, county = str(address.get("municipality_code") or ""), str(address.get("region_code") or "")
    if not municipality.isdigit():
        return {}, []
    home = _region(municipality, str(address.get("municipality") or municipality))
    wide = county.isdigit() and len(county) == COUNTY_DIGITS and chance(dice, 50)
    return {"lives_in": home}, [_region(county, str(address.get("region") or county)) if wide else home]


def _region(code: str, label: str) -> dict[str, object]:
    return {"scheme": "scb", "code": code, "label": {"sv": label}}


def _labels(value: object) -> list[str]:
    return [str(item["label"]) for item in _items(value) if item.get("label")]


def _items(value: object) -> list[Mapping[str, object]]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _first(value: object) -> Mapping[str, object]:
    """Some years of the feed have a list where others have one concept."""
    items = _items(value)
    return items[0] if items else {}
