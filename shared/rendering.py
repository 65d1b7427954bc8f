"""What people read about a recommendation, in zh and en, rendered from data.

Plain words for both sides: "the seeker" and "the posting" are named, so that the same text serves whoever
reads it. Labels of skills come from whoever has them; without one the code itself is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shared.contracts.common import Benefit, Code, Education, Texts
    from shared.contracts.postings import PostingTerms
    from shared.contracts.profiles import ProfileTerms
    from shared.contracts.recommendations import Entry

Labels = Callable[[str], "Texts | None"]
"""The label of a `scheme:code`, if there is one."""

LANGUAGES: Final = ("zh", "en")
MOST_SKILLS: Final = 6
"""A longer list is cut, with the number of those that are left out."""

FACTS: Final = {
    "region": ("地点", "place"),
    "education": ("学历", "education"),
    "experience": ("经验", "experience"),
    "pay": ("薪资", "pay"),
    "employment_type": ("合同类型", "type of contract"),
    "licences": ("证照", "licences"),
    "occupation": ("职业", "occupation"),
}
_GATES: Final = {
    "open": ("该岗位已关闭。", "The posting is closed."),
    "valid": ("该岗位已过有效期。", "The posting has expired."),
    "active": ("求职者目前不接受推荐。", "The seeker takes no recommendations at present."),
    "consent": ("求职者未同意参与匹配。", "The seeker has not agreed to be matched."),
    "region": (
        "工作地点不在求职者愿意工作的地区。",
        "The work is not in a region where the seeker would work.",
    ),
    "education": ("学历低于岗位要求。", "The education is below what the posting asks for."),
    "experience": ("工作经验少于岗位要求。", "The experience is less than the posting asks for."),
    "pay": ("薪资低于求职者的最低要求。", "The pay is below the least that the seeker works for."),
    "employment_type": (
        "求职者不接受该合同类型。",
        "The seeker does not want this type of contract.",
    ),
    "licences": ("缺少岗位要求的证照。", "A licence that the posting requires is missing."),
    "minimum": ("匹配度不够，未予推荐。", "Too little fits for a recommendation."),
    "relevance": (
        "职业不相近，也没有相符的技能。",
        "Neither is the occupation close nor does any skill match.",
    ),
}
EDUCATION: Final = {
    "primary": ("小学", "primary school"),
    "lower_secondary": ("初中", "lower secondary school"),
    "upper_secondary": ("高中或中专", "upper secondary school"),
    "post_secondary": ("高中后非高等教育", "post-secondary training"),
    "short_cycle_tertiary": ("大专", "a short-cycle tertiary degree"),
    "bachelor": ("本科", "a bachelor's degree"),
    "master": ("硕士", "a master's degree"),
    "doctor": ("博士", "a doctorate"),
}
_BENEFITS: Final = {
    "pension": ("养老保险", "pension insurance"),
    "medical": ("医疗保险", "medical insurance"),
    "unemployment": ("失业保险", "unemployment insurance"),
    "work_injury": ("工伤保险", "work injury insurance"),
    "maternity": ("生育保险", "maternity insurance"),
    "housing_fund": ("住房公积金", "housing fund"),
    "room": ("住宿", "room"),
    "board": ("伙食", "board"),
    "physical_examination": ("体检", "physical examination"),
    "transport": ("交通补贴", "transport"),
    "paid_leave": ("带薪休假", "paid leave"),
    "training": ("培训", "training"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What an entry does not carry itself, as far as the reader may see it: it makes the text more exact."""

    posting: PostingTerms | None = None
    profile: ProfileTerms | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """The same in both languages."""

    zh: str
    en: str


NO_FACTS: Final = Facts()


def explain(entry: Entry, labels: Labels, facts: Facts = NO_FACTS) -> Texts:
    """Why an entry is on a list: what fits, what is missing, and what is not known. One sentence or two."""
    parts = [
        *_occupation(entry),
        *_skills(entry, labels, facts),
        *_requirements(entry),
        *_place(entry),
        *_pay(entry, facts),
        *_benefits(facts),
        *_key_group(entry),
    ]
    zh = "；".join(part.zh for part in parts) + "。" if parts else ""
    en = "; ".join(part.en for part in parts) + "." if parts else ""
    unknown = [FACTS[name] for name in entry.unknown if name in FACTS]
    if unknown:
        zh += f"未知：{'、'.join(names[0] for names in unknown)}。"
        en += f" Not known: {', '.join(names[1] for names in unknown)}."
    return {"zh": zh, "en": (en[:1].upper() + en[1:]).strip()}


def explain_gate(gate: str, facts: Facts = NO_FACTS, labels: Labels = lambda _: None) -> Texts:
    """Why a pair is not recommended, for one gate that failed, or for `minimum` or `relevance`.

    Raises KeyError for a gate that there is not.
    """
    zh, en = _GATES[gate]
    more = _gate_facts(gate, facts, labels)
    return {"zh": zh[:-1] + more.zh + "。", "en": en[:-1] + more.en + "."}


def _occupation(entry: Entry) -> list[Pair]:
    if "occupation" in entry.unknown:
        return []
    if entry.components.occupation:
        return [Pair("职业相符或相近", "the occupation is the same or close")]
    if entry.matched:
        return [Pair("职业不同，但技能相符", "another occupation, but skills match")]
    return [Pair("职业不同", "another occupation")]


def _skills(entry: Entry, labels: Labels, facts: Facts) -> list[Pair]:
    has, lacks = listed(entry.matched, labels), listed(entry.missing, labels)
    parts = []
    required = None
    if facts.posting is not None:
        required = len({code.key for code in facts.posting.required_skills})
    if required:
        count = required - len(entry.missing)
        named = Pair(f"：{has.zh}", f": {has.en}") if entry.matched else Pair("", "")
        parts.append(
            Pair(
                f"具备{required}项必备技能中的{count}项{named.zh}",
                f"{count} of {required} required skills{named.en}",
            )
        )
    elif entry.matched:
        parts.append(Pair(f"相符的技能：{has.zh}", f"skills that match: {has.en}"))
    if entry.missing:
        parts.append(Pair(f"缺少：{lacks.zh}", f"missing: {lacks.en}"))
    return parts


def _requirements(entry: Entry) -> list[Pair]:
    """Education and experience; an entry is only on a list if what is known of them is enough."""
    known = [FACTS[name] for name in ("education", "experience") if name not in entry.unknown]
    if not known:
        return []
    zh, en = "和".join(names[0] for names in known), " and ".join(names[1] for names in known)
    return [Pair(f"{zh}符合要求", f"{en} {'fit' if len(known) > 1 else 'fits'}")]


def _place(entry: Entry) -> list[Pair]:
    return [] if "region" in entry.unknown else [Pair("地点合适", "the place fits")]


def _pay(entry: Entry, facts: Facts) -> list[Pair]:
    if "pay" in entry.unknown:
        return []
    above = _above_floor(facts)
    if above is None or above[0] < 0:
        return [Pair("薪资达到最低要求", "the pay reaches the floor")]
    amount, currency = above
    if amount == 0:
        return [Pair("薪资正好达到最低要求", "the pay just reaches the floor")]
    return [
        Pair(
            f"月薪最高比最低要求高{amount:,} {currency}",
            f"the pay is up to {amount:,} {currency} a month above the floor",
        )
    ]


def _above_floor(facts: Facts) -> tuple[int, str] | None:
    """How far the upper end of the pay is above the floor (below 0: under it), if they can be compared."""
    if facts.posting is None or facts.profile is None:
        return None
    pay, floor = facts.posting.pay, facts.profile.pay_floor
    if pay is None or floor is None or pay.currency != floor.currency:
        return None
    upper = pay.min if pay.max is None else pay.max
    return None if upper is None else (upper - floor.amount, pay.currency)


def _benefits(facts: Facts) -> list[Pair]:
    if facts.posting is None or facts.profile is None:
        return []
    offered = [one for one in facts.profile.benefits_needed if one in facts.posting.benefits]
    if not offered:
        return []
    names = _named(_BENEFITS, offered)
    return [Pair(f"提供所需福利：{names.zh}", f"offers what is needed: {names.en}")]


def _key_group(entry: Entry) -> list[Pair]:
    if not entry.components.key_group:
        return []
    return [
        Pair(
            "岗位优先考虑求职者所属的重点群体",
            "the posting gives preference to a key group that the seeker belongs to",
        )
    ]


def _gate_facts(gate: str, facts: Facts, labels: Labels) -> Pair:
    """What the facts add to the sentence on a gate."""
    posting, profile = facts.posting, facts.profile
    nothing = Pair("", "")
    if posting is None or profile is None:
        return nothing
    if gate == "education" and posting.education and profile.education:
        asked, has = _level(posting.education), _level(profile.education)
        return Pair(f"（要求{asked.zh}，现为{has.zh}）", f" (asked for: {asked.en}; there is: {has.en})")
    if gate == "experience" and posting.experience_months and profile.experience_months is not None:
        asked_months, has_months = posting.experience_months, profile.experience_months
        return Pair(
            f"（要求{asked_months}个月，现有{has_months}个月）",
            f" (asked for: {asked_months} months; there are: {has_months})",
        )
    if gate == "pay":
        above = _above_floor(facts)
        if above is not None and above[0] < 0:
            return Pair(f"（每月少{-above[0]:,} {above[1]}）", f" ({-above[0]:,} {above[1]} a month too little)")
    if gate == "licences":
        own = _keys(profile.licences or ())
        names = listed([key for key in _keys(posting.licences) if key not in own], labels)
        return Pair(f"：{names.zh}", f": {names.en}")
    return nothing


def _level(education: Education) -> Pair:
    return Pair(*EDUCATION[education.value])


def _keys(codes: Iterable[Code]) -> list[str]:
    return list(dict.fromkeys(code.key for code in codes))


def _named(names: Mapping[str, tuple[str, str]], wanted: Sequence[Benefit]) -> Pair:
    pairs = [names[one.value] for one in wanted]
    return Pair("、".join(zh for zh, _ in pairs), ", ".join(en for _, en in pairs))


def listed(keys: Sequence[str], labels: Labels) -> Pair:
    """The names of codes; only the first of many, and how many there are."""
    shown, more = keys[:MOST_SKILLS], len(keys) - MOST_SKILLS
    zh = "、".join(_label(key, labels, "zh") for key in shown)
    en = ", ".join(_label(key, labels, "en") for key in shown)
    return Pair(f"{zh}等{len(keys)}项", f"{en} and {more} more") if more > 0 else Pair(zh, en)


def _label(key: str, labels: Labels, language: str) -> str:
    """In that language, else in another one, else the code."""
    texts = labels(key) or {}
    for one in (language, *LANGUAGES):
        if texts.get(one):
            return texts[one]
    return next(iter(texts.values()), key.partition(":")[2])
