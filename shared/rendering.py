"""What people read about a recommendation, in zh and en, rendered from data.

A seeker is addressed as such, and so is an employer, who is told neither the floor nor the key group of a seeker.
Labels of skills come from whoever has them; without one the code itself is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal

from shared.wording import (
    BENEFITS,
    FACTS,
    KEY_GROUPS,
    WISHES,
    Labels,
    Pair,
    duration,
    level,
    listed,
    money,
    named,
)

if TYPE_CHECKING:
    from shared.contracts.common import Texts
    from shared.contracts.recommendations import Entry, Evidence

Reader = Literal["seeker", "employer"]
"""Who is addressed; a matchmaker or an operator reads what the one whose list it is reads."""

FAR_LEVELS: Final = 2
FAR_MONTHS: Final = 60
"""From so much above what is asked on it is said that being over-qualified is no disadvantage."""
FAR_KM: Final = 100
"""From so far on it is said that the seeker would work there all the same."""
_THE_SAME: Final = {
    "seeker": ("正是您想要的职业", "an occupation that you want"),
    "employer": ("求职者想要的正是该职业", "the seeker wants this occupation"),
}
_CLOSE: Final = {
    "seeker": ("与您想要的职业相近", "an occupation close to one that you want"),
    "employer": ("求职者想要的职业与此相近", "the seeker wants a close occupation"),
}
_ANOTHER: Final = {
    "seeker": ("与您想要的职业不同", "another occupation than you want"),
    "employer": ("求职者想要另一职业", "the seeker wants another occupation"),
}


def explain(entry: Entry, labels: Labels, reader: Reader) -> Texts:
    """Why an entry is on a list: what fits, what is missing, what nobody asks for, and what is not known.

    Each part of the score that has points is in it. An entry without evidence, of an earlier version, is explained by
    its parts alone.
    """
    to_seeker = reader == "seeker"
    parts = [_occupation(entry, to_seeker=to_seeker)]
    if entry.evidence is None:
        parts += [*_plain_skills(entry, labels), *_plain_rest(entry)]
    else:
        parts += [
            *_skills(entry, entry.evidence, labels),
            *_place(entry, entry.evidence, to_seeker=to_seeker),
            *(_pay(entry.evidence) if to_seeker else _pay_for_employer(entry.evidence)),
            *_experience(entry.evidence, to_seeker=to_seeker),
            *_education(entry.evidence, to_seeker=to_seeker),
            *_benefits(entry.evidence, to_seeker=to_seeker),
        ]
    parts += _key_group(entry, to_seeker=to_seeker)
    said = [part for part in parts if part is not None]
    zh = "；".join(part.zh for part in said) + "。" if said else ""
    en = "; ".join(part.en for part in said) + "." if said else ""
    for (before_zh, before_en), names in (
        (("未提要求：", " Not asked for: "), _not_asked(entry)),
        (("未知：", " Not known: "), _unknown(entry)),
    ):
        if names.zh:
            zh += f"{before_zh}{names.zh}。"
            en += f"{before_en}{names.en}."
    en = en.strip()
    return {"zh": zh, "en": en[:1].upper() + en[1:]}


def _occupation(entry: Entry, *, to_seeker: bool) -> Pair | None:
    if "occupation" in entry.unknown:
        return None
    if not entry.components.occupation:
        match = Pair("，但技能相符", ", but skills match") if entry.matched else Pair("", "")
        zh, en = _ANOTHER["seeker" if to_seeker else "employer"]
        return Pair(zh + match.zh, en + match.en)
    if entry.evidence is None:
        return Pair("职业相符或相近", "the occupation is the same or close")
    said = _THE_SAME if entry.evidence.same_occupation else _CLOSE
    return Pair(*said["seeker" if to_seeker else "employer"])


def _skills(entry: Entry, evidence: Evidence, labels: Labels) -> Iterator[Pair]:
    """Required ones first, as the entry has them; what counts in part by another one is not called missing."""
    required = evidence.required - len(entry.missing)
    for has, count, zh, en in (
        (entry.matched[:required], evidence.required, "必备", "required"),
        (entry.matched[required:], evidence.preferred, "优先", "preferred"),
    ):
        names = listed(has, labels)
        if has and count > 1:
            share = Pair(f"{count}项{zh}技能中具备{len(has)}项", f"{len(has)} of {count} {en} skills")
            yield Pair(f"{share.zh}：{names.zh}", f"{share.en}: {names.en}")
        elif has:
            yield Pair(f"具备唯一的{zh}技能：{names.zh}", f"the one {en} skill: {names.en}")
        elif count > 1:
            yield Pair(f"{count}项{zh}技能均未提及", f"none of the {count} {en} skills")
        elif count:
            yield Pair(f"唯一的{zh}技能未提及", f"without the one {en} skill")
    stood_in = dict(evidence.related)
    lacks = [skill for skill in entry.missing if skill not in stood_in]
    if lacks:
        names = listed(lacks, labels)
        yield Pair(f"缺少：{names.zh}", f"missing: {names.en}")
    if stood_in:
        pairs = [_in_part(skill, through, labels) for skill, through in evidence.related]
        zh, en = "、".join(pair.zh for pair in pairs), ", ".join(pair.en for pair in pairs)
        yield Pair(f"部分计入：{zh}", f"counted in part: {en}")


def _in_part(skill: str, through: str, labels: Labels) -> Pair:
    """A skill, and the one that counts for it if it has a name here."""
    name = listed([skill], labels)
    if not labels(through):
        return name
    other = listed([through], labels)
    return Pair(f"{name.zh}（因{other.zh}）", f"{name.en} (through {other.en})")


def _place(entry: Entry, evidence: Evidence, *, to_seeker: bool) -> Iterator[Pair]:
    if evidence.remote:
        yield (
            Pair("可以远程工作，符合您的意愿", "can be done from anywhere, as you would")
            if to_seeker
            else Pair("求职者愿意远程工作", "the seeker would work from anywhere")
        )
    if evidence.at_home:
        yield (
            Pair("就在您居住的地区", "in the region where you live")
            if to_seeker
            else Pair("求职者就住在该地区", "the seeker lives in the region")
        )
    elif evidence.km is not None:
        zh, en = (f"约{evidence.km:,}公里", f"about {evidence.km:,} km") if evidence.km else ("不到1公里", "under 1 km")
        way = (
            Pair(f"距您居住地{zh}", f"{en} from where you live")
            if to_seeker
            else Pair(f"求职者居住地距此{zh}", f"the seeker lives {en} away")
        )
        if evidence.km < FAR_KM or evidence.remote or "region" in entry.unknown:
            yield way
        elif to_seeker:
            yield Pair(f"{way.zh}，在您愿意工作的地区", f"{way.en}, in a region where you would work")
        else:
            yield Pair(f"{way.zh}，但愿意来此工作", f"{way.en}, and would work here")
    elif not evidence.remote and "region" not in entry.unknown:
        yield (
            Pair("在您愿意工作的地区", "in a region where you would work")
            if to_seeker
            else Pair("求职者愿意在该地区工作", "the seeker would work in the region")
        )


def _pay(evidence: Evidence) -> Iterator[Pair]:
    """Both ends against the floor of the seeker, who reads it."""
    low, high, currency = evidence.pay_low, evidence.pay_high, evidence.currency
    if currency is None:
        return
    if low is None or high is None:
        end = low if high is None else high
        if end is not None:
            yield _open_pay(end, currency, upper=high is not None)
    elif low == high:
        yield _even_pay(low, currency)
    elif low >= 0:
        more = money(high, currency)
        if low:
            zh, en = f"{low:,}至{more.zh}", f"{low:,} to {more.en}"
            yield Pair(f"月薪比您的最低要求高{zh}", f"pay {en} a month above your floor")
        else:
            yield Pair(f"月薪从您的最低要求到高出{more.zh}", f"pay from your floor to {more.en} a month above it")
    elif high > 0:
        less, more = money(-low, currency), money(high, currency)
        yield Pair(
            f"月薪从比您的最低要求低{less.zh}到高{more.zh}",
            f"pay from {less.en} a month below your floor to {more.en} above it",
        )
    else:
        yield _open_pay(high, currency, upper=True)


def _open_pay(end: int, currency: str, *, upper: bool) -> Pair:
    """The one end that counts."""
    zh, en = ("最多", "up to") if upper else ("起薪", "from")
    if not end:
        return Pair(f"月薪{zh}为您的最低要求", f"pay {en} your floor")
    amount = money(abs(end), currency)
    zh_side, en_side = ("高", "above") if end > 0 else ("低", "below")
    if end < 0 and upper:
        return Pair(f"月薪至少比您的最低要求低{amount.zh}", f"pay at least {amount.en} a month below your floor")
    return Pair(f"月薪{zh}比您的最低要求{zh_side}{amount.zh}", f"pay {en} {amount.en} a month {en_side} your floor")


def _even_pay(above: int, currency: str) -> Pair:
    """One pay, no range."""
    if not above:
        return Pair("月薪正好是您的最低要求", "pay just at your floor")
    amount = money(abs(above), currency)
    zh, en = ("高", "above") if above > 0 else ("低", "below")
    return Pair(f"月薪比您的最低要求{zh}{amount.zh}", f"pay {amount.en} a month {en} your floor")


def _pay_for_employer(evidence: Evidence) -> Iterator[Pair]:
    """Without the floor itself."""
    ends = [end for end in (evidence.pay_low, evidence.pay_high) if end is not None]
    if ends:
        yield (
            Pair("薪资达到求职者的要求", "your pay reaches what the seeker asks for")
            if max(ends) >= 0
            else Pair("薪资低于求职者的要求", "your pay is below what the seeker asks for")
        )


def _experience(evidence: Evidence, *, to_seeker: bool) -> Iterator[Pair]:
    asked, has = evidence.months_asked, evidence.months
    if asked is None or has is None:
        return
    wanted = duration(asked)
    ask = Pair(f"要求{wanted.zh}经验", f"{wanted.en} of experience") if asked else Pair("不要求经验", "no experience")
    there = duration(has)
    if not to_seeker:
        said = Pair(f"求职者有{there.zh}", f"the seeker has {there.en}")
    else:
        said = Pair(f"您有{there.zh}", f"you have {there.en}")
    yield _asked_and_had(ask, said, far=has - asked >= FAR_MONTHS, to_seeker=to_seeker)


def _education(evidence: Evidence, *, to_seeker: bool) -> Iterator[Pair]:
    asked, has = evidence.education_asked, evidence.education
    if asked is None or has is None:
        return
    wanted, there = level(asked), level(has)
    ask = Pair(f"要求{wanted.zh}学历", wanted.en)
    zh_who, en_who = ("您", "you have") if to_seeker else ("求职者", "the seeker has")
    if asked is has:
        said = Pair(f"{zh_who}符合", f"which {en_who}")
    else:
        said = Pair(f"{zh_who}是{there.zh}", f"{en_who} {there.en}")
    yield _asked_and_had(ask, said, far=has.level - asked.level >= FAR_LEVELS, to_seeker=to_seeker)


def _asked_and_had(asked: Pair, has: Pair, *, far: bool, to_seeker: bool) -> Pair:
    zh = f"{asked.zh}，{has.zh}"
    en = f"{'asks' if to_seeker else 'you ask'} for {asked.en}, {has.en}"
    if far:
        return Pair(f"{zh}，远高于要求，并不减分", f"{en}: far above what is asked, which is no disadvantage")
    return Pair(zh, en)


def _benefits(evidence: Evidence, *, to_seeker: bool) -> Iterator[Pair]:
    count, offered = evidence.benefits_needed, len(evidence.benefits)
    if not count:
        return
    names = named(BENEFITS, evidence.benefits)
    zh_who, en_who = ("您需要", "you need") if to_seeker else ("求职者需要", "the seeker needs")
    offers, does_not = ("offers", "names") if to_seeker else ("you offer", "you name")
    many = "benefit" if count == 1 else "benefits"
    if offered:
        zh = f"提供{zh_who}的{count}项福利中的{offered}项：{names.zh}"
        yield Pair(zh, f"{offers} {offered} of {count} {many} that {en_who}: {names.en}")
    else:
        yield Pair(f"未列明{zh_who}的福利", f"{does_not} none of the benefits that {en_who}")


def _key_group(entry: Entry, *, to_seeker: bool) -> list[Pair]:
    if not entry.components.key_group:
        return []
    if not to_seeker:
        zh, en = "求职者属于您优先考虑的重点群体", "the seeker belongs to a key group that you give preference to"
        return [Pair(zh, en)]
    if entry.evidence is None or not entry.evidence.key_groups:
        zh, en = "岗位优先考虑您所属的重点群体", "gives preference to a key group that you belong to"
        return [Pair(zh, en)]
    groups = named(KEY_GROUPS, entry.evidence.key_groups)
    return [Pair(f"岗位优先考虑{groups.zh}，您在其中", f"gives preference to {groups.en}, and you are among them")]


def _not_asked(entry: Entry) -> Pair:
    """What neither side asks for, though it has its neutral points."""
    evidence = entry.evidence
    if evidence is None:
        return Pair("", "")
    asked = {"required_skills": evidence.required, "preferred_skills": evidence.preferred}
    skills = [name for name, count in asked.items() if not count]
    benefits = [] if evidence.benefits_needed else ["benefits"]
    return named(WISHES, (["skills"] if skills == list(asked) else skills) + benefits)


def _unknown(entry: Entry) -> Pair:
    """Who does not know the place need not be told that the way is not known."""
    return named(
        FACTS,
        [name for name in entry.unknown if name in FACTS and not (name == "distance" and "region" in entry.unknown)],
    )


def _plain_skills(entry: Entry, labels: Labels) -> list[Pair]:
    """Without evidence."""
    has, lacks = listed(entry.matched, labels), listed(entry.missing, labels)
    found = [Pair(f"相符的技能：{has.zh}", f"skills that match: {has.en}")] if entry.matched else []
    return [*found, Pair(f"缺少：{lacks.zh}", f"missing: {lacks.en}")] if entry.missing else found


def _plain_rest(entry: Entry) -> list[Pair]:
    """Without evidence: an entry is only on a list if what is known of both sides is enough."""
    known = [name for name in ("education", "experience") if name not in entry.unknown]
    zh, en = "和".join(FACTS[name][0] for name in known), " and ".join(FACTS[name][1] for name in known)
    found = [Pair(f"{zh}符合要求", f"{en} {'fit' if len(known) > 1 else 'fits'}")] if known else []
    if "region" not in entry.unknown:
        found.append(Pair("地点合适", "the place fits"))
    if "pay" not in entry.unknown:
        found.append(Pair("薪资达到最低要求", "the pay reaches the floor"))
    return found
