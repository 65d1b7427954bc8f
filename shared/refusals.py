"""What people read where a pair is not recommended, in zh and en: the gate that failed, or too few points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.wording import Labels, Pair, level, listed

if TYPE_CHECKING:
    from shared.contracts.common import Code, Texts
    from shared.contracts.postings import PostingTerms
    from shared.contracts.profiles import ProfileTerms

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


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of both sides of a pair that is not recommended, as far as the reader may see it."""

    posting: PostingTerms | None = None
    profile: ProfileTerms | None = None


NO_FACTS: Final = Facts()


def explain_gate(gate: str, facts: Facts = NO_FACTS, labels: Labels = lambda _: None) -> Texts:
    """Why a pair is not recommended, for one gate that failed, or for `minimum` or `relevance`.

    Raises KeyError for a gate that there is not.
    """
    zh, en = _GATES[gate]
    more = _gate_facts(gate, facts, labels)
    return {"zh": zh[:-1] + more.zh + "。", "en": en[:-1] + more.en + "."}


def _gate_facts(gate: str, facts: Facts, labels: Labels) -> Pair:
    """What the facts add to the sentence on a gate."""
    posting, profile = facts.posting, facts.profile
    nothing = Pair("", "")
    if posting is None or profile is None:
        return nothing
    if gate == "education" and posting.education and profile.education:
        asked, has = level(posting.education), level(profile.education)
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


def _above_floor(facts: Facts) -> tuple[int, str] | None:
    """How far the upper end of the pay is above the floor (below 0: under it), if they can be compared."""
    if facts.posting is None or facts.profile is None:
        return None
    pay, floor = facts.posting.pay, facts.profile.pay_floor
    if pay is None or floor is None or pay.currency != floor.currency:
        return None
    upper = pay.min if pay.max is None else pay.max
    return None if upper is None else (upper - floor.amount, pay.currency)


def _keys(codes: Iterable[Code]) -> list[str]:
    return list(dict.fromkeys(code.key for code in codes))
