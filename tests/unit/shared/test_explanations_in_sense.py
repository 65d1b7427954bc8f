"""Fifty explanations of real ads, and fifty of the made-up season, are read for sense by rules."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

import pytest

from deploy.demo.feeds import feed_material
from deploy.demo.material import SCALES, Material, season_material
from deploy.servers import PROJECT
from services.matcher.domain import Index, entries, load
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.taxonomy import ties_of
from services.postings.domain import jobtech
from services.postings.domain import linked as postings_linked
from services.postings.domain.posting import publish
from services.postings.domain.submission import Submission, read_submitted
from services.profiles.domain import linked as profiles_linked
from services.profiles.domain.seekers import SeekerSubmission, register
from shared.contracts.common import PayFloor, Texts
from shared.contracts.lists import encode
from shared.contracts.partners import JobTechAdPublished, PartnerPostingSubmitted
from shared.contracts.postings import Posting, PostingSource
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind, Entry
from shared.linking.linker import Linker
from shared.rendering import Reader, explain
from shared.wording import Labels
from tests.oracle.facts import kilometres
from tests.oracle.sides import Person, Work

FEED = PROJECT.parent / "shared" / "data" / "jobtech_ads.jsonl.gz"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MENTIONED = {
    "occupation": (r"occupation", r"职业"),
    "required_skills": (r"required skill|counted in part|Not asked for: skills", r"必备技能|部分计入|未提要求：技能"),
    "preferred_skills": (r"preferred skill|counted in part|Not asked for: skills", r"优先技能|部分计入|未提要求：技能"),
    "education": (r"you have|seeker has|education", r"学历"),
    "experience": (r"experience", r"经验"),
    "place": (r"place|where|live|would work|from anywhere", r"地点|地区|居住|远程"),
    "pay": (r"\bpay\b", r"薪"),
    "benefits": (r"benefit", r"福利"),
    "key_group": (r"preference", r"优先考虑"),
}
"""By part of the score: how a text may mention it in English and Chinese."""


class Told(NamedTuple):
    """An explanation, and what it was made of."""

    posting: Posting
    profile: Profile
    entry: Entry
    reader: Reader
    texts: Texts
    labels: Labels


def postings(material: Material, source: str, linker: Linker) -> Iterator[Posting]:
    for made in material.postings:
        if source == "feed":
            read = jobtech.read(JobTechAdPublished.model_validate_json(made.body))
        else:
            read = read_submitted(PartnerPostingSubmitted.model_validate_json(made.body))
        if isinstance(read, Submission):
            said = postings_linked.as_said(read.terms)
            (named,) = linker.ads([postings_linked.ad(said)])
            terms = postings_linked.with_found(said, named)
            yield publish(terms, posting_id=f"p-{made.id}"[:64], employer_id="e", source=PostingSource(), now=NOW)


def profiles(material: Material, source: str, linker: Linker) -> Iterator[Profile]:
    dice = Random(5)
    for number, line in enumerate(material.seekers):
        said = SeekerSubmission.model_validate_json(line)
        (named,) = linker.seekers([said.words or ""])
        terms = profiles_linked.with_found(said, named)
        if source == "feed" and dice.random() < 0.5:
            terms = terms.model_copy(update={"pay_floor": PayFloor(amount=25_000, currency="SEK")})
        yield register(f"s-{number}", terms, (), NOW)


def told(source: str, linker: Linker) -> list[Told]:
    material = feed_material(FEED, 1, 0, NOW) if source == "feed" else season_material(SCALES["small"], 1, 0, NOW)
    index = Index(load(), ties_of(MatcherSettings()))
    works = {one.id: one for one in postings(material, source, linker) if index.upsert_posting(one)}
    people = {one.id: one for one in profiles(material, source, linker) if index.upsert_profile(one)}
    known = {
        skill.key: skill.label
        for one in works.values()
        for skill in (*one.required_skills, *one.preferred_skills)
        if skill.label
    }

    def labels(key: str) -> Texts | None:
        return known.get(key) or index.ties.label(key)

    found = []
    anchors: Sequence[tuple[AnchorKind, Reader, list[str]]] = (
        (AnchorKind.SEEKER, "seeker", sorted(people)),
        (AnchorKind.POSTING, "employer", sorted(works)),
    )
    for kind, reader, names in anchors:
        rest = 25
        for name in Random(7).sample(names, len(names)):
            listed = entries(index, kind, name, index.top(kind, name, NOW))
            for one in listed[:: max(1, len(listed) // 2)][:2]:
                entry = Entry.model_validate_json(encode(one))
                posting, seeker = (name, entry.id) if kind is AnchorKind.POSTING else (entry.id, name)
                texts = explain(entry, labels, reader)
                found.append(Told(works[posting], people[seeker], entry, reader, texts, labels))
                rest -= 1
            if rest <= 0:
                break
    return found


@pytest.fixture(scope="module", params=["feed", "season"])
def explanations(request: pytest.FixtureRequest, linker: Linker) -> list[Told]:
    source: str = request.param
    if source == "feed" and not FEED.exists():
        pytest.skip(f"{FEED} is not there: the real ads lie beside the project")
    found = told(source, linker)
    assert len(found) >= 50
    for one in found:  # to be read with `pytest -s`
        print(f"{one.reader} {one.entry.points}\n  {one.texts['zh']}\n  {one.texts['en']}")
    return found


def parts(texts: Texts) -> tuple[list[str], list[str]]:
    """The first sentence, part by part, in Chinese and in English."""
    return texts["zh"].partition("。")[0].split("；"), re.split(r"; ", re.split(r"\.(?: |$)", texts["en"])[0])


def test_no_part_is_empty(explanations: list[Told]):
    for one in explanations:
        zh, en = parts(one.texts)
        assert all(part.strip() for part in (*zh, *en)), one.texts
        assert not re.search(r"  |[:：][;；.。]|None|\(\)|（）|, ,|、、", " ".join(one.texts.values())), one.texts
        assert one.texts["en"].endswith(".")
        assert one.texts["zh"].endswith("。")


def test_no_code_stands_where_a_label_is(explanations: list[Told]):
    for one in explanations:
        for skill in (*one.posting.required_skills, *one.posting.preferred_skills, *one.profile.skills):
            if one.labels(skill.key):
                assert skill.code not in " ".join(one.texts.values())
                assert skill.key not in " ".join(one.texts.values())


def test_every_part_with_points_is_mentioned(explanations: list[Told]):
    for one in explanations:
        for name, points in one.entry.components.model_dump().items():
            en, zh = MENTIONED[name]
            if points:
                assert re.search(en, one.texts["en"]), (name, one.texts)
                assert re.search(zh, one.texts["zh"]), (name, one.texts)


def test_both_languages_say_the_same(explanations: list[Told]):
    for one in explanations:
        zh, en = parts(one.texts)
        assert len(zh) == len(en), one.texts
        for left, right in zip(zh, en, strict=True):
            # a long list says how many there are, or how many more there are
            left, right = re.sub(r"等\d+项", "", left), re.sub(r"and \d+ more", "", right)  # noqa: PLW2901
            assert Counter(re.findall(r"\d+", left)) == Counter(re.findall(r"\d+", right)), one.texts
        assert ("未知：" in one.texts["zh"]) == ("Not known:" in one.texts["en"])


def test_numbers_agree_with_what_both_sides_said(explanations: list[Told]):
    for one in explanations:
        work = Work(one.posting.model_dump(mode="json"))
        person = Person(one.profile.model_dump(mode="json"))
        text = one.texts["en"]
        if skills := re.search(r"(\d+) of (\d+) required", text):
            has = [skill for skill in work.required if skill in person.skills]
            assert (int(skills[1]), int(skills[2])) == (len(has), len(work.required))
        if benefits := re.search(r"(\d+) of (\d+) benefits?", text):
            assert (int(benefits[1]), int(benefits[2])) == (len(work.benefits & person.needs), len(person.needs))
        if months := re.search(r"asks? for (no|.*? of) experience, (?:you have|the seeker has) ([^;:.]*)", text):
            assert (inverse(months[1]), inverse(months[2])) == (work.experience, person.experience)
        if way := re.search(r"about ([\d,]+) km", text):
            assert person.home is not None
            ways = [kilometres(region, person.home) for region in work.regions]
            assert int(way[1].replace(",", "")) == round(min(km for km in ways if km is not None))
        if pay := re.search(r"pay (?:from )?([\d,]+)(?: to ([\d,]+))? (\w+) a month above", text):
            assert one.reader == "seeker"
            assert work.pay is not None
            assert person.floor is not None
            ends = [work.pay[end] - person.floor["amount"] for end in ("min", "max") if work.pay.get(end)]
            said = [int(number.replace(",", "")) for number in pay.groups()[:2] if number]
            assert said == sorted(set(ends))
            assert pay[3] == work.pay["currency"] == person.floor["currency"]
        for name in ("floor", "最低要求"):
            assert one.reader == "seeker" or name not in " ".join(one.texts.values())


def inverse(time: str) -> int:
    """Months of a time in words."""
    if time in {"no", "none"}:
        return 0
    numbers = {unit: int(count) for count, unit in re.findall(r"(\d+) (year|month)", time)}
    return 12 * numbers.get("year", 0) + numbers.get("month", 0)
