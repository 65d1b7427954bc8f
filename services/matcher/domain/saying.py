"""What people read about changes and what would come of them, in zh and en."""

from __future__ import annotations

from typing import Final

from services.matcher.domain.changes import Change
from services.matcher.domain.reasons import Gain
from shared.contracts.common import Texts
from shared.contracts.recommendations import AnchorKind
from shared.wording import EDUCATION, FACTS, Labels, Pair, listed

FEW: Final = 5
"""Fewer people than this are not counted to those who might guess who they are."""

_TYPES: Final = {
    "full_time": ("全职", "full-time work"),
    "part_time": ("非全日制", "part-time work"),
    "temporary": ("短期工作", "temporary work"),
    "seasonal": ("季节性工作", "seasonal work"),
    "internship": ("实习", "an internship"),
}
_GATES: Final = FACTS | {"valid": ("有效期", "date")}
_CHANGES: Final = {
    AnchorKind.POSTING: {
        "pay": (
            "岗位月薪上限提高{by:,} {currency}，至{to:,}",
            "the posting pays up to {to:,} {currency} a month, {by:,} more",
        ),
        "experience": (
            "岗位要求的经验减少{by}个月，至{to}个月",
            "the posting asks for {to} months of experience, {by} fewer",
        ),
        "nothing": ("岗位不要求工作经验", "the posting asks for no experience"),
        "education": ("岗位的学历要求降为{names}", "the posting asks for {names} only"),
        "employment_type": ("岗位改为{names}", "the posting offers {names} instead"),
        "licences": ("岗位不要求证照：{names}", "the posting does without the licence {names}"),
        "region": ("工作地点增加{names}", "the work can also be done in {names}"),
        "remote": ("岗位可以远程工作", "the work can be done from anywhere"),
    },
    AnchorKind.SEEKER: {
        "pay": (
            "求职者的最低月薪降低{by:,} {currency}，至{to:,}",
            "the seeker works for {to:,} {currency} a month, {by:,} less",
        ),
        "experience": (
            "求职者再积累{by}个月经验，共{to}个月",
            "the seeker has {to} months of experience, {by} more",
        ),
        "education": ("求职者取得{names}学历", "the seeker completes {names}"),
        "employment_type": ("求职者也接受{names}", "the seeker also takes {names}"),
        "licences": ("求职者取得证照：{names}", "the seeker gets the licence {names}"),
        "region": ("求职者也愿意在{names}工作", "the seeker would also work in {names}"),
        "remote": ("求职者也接受远程工作", "the seeker also works remotely"),
        "skills": ("求职者掌握技能：{names}", "the seeker learns {names}"),
    },
}


def say_change(change: Change, labels: Labels) -> Texts:
    """One sentence: what would be otherwise."""
    said = _said(change, labels)
    return {"zh": f"{said.zh}。", "en": f"{_capital(said.en)}."}


def say_gain(gain: Gain, gained: int | None, lost: int | None, labels: Labels) -> Texts:
    """What would be otherwise, and how many more that brings and how many it costs; None for fewer than FEW."""
    said, kind = _said(gain.change, labels), gain.change.of
    if gain.change.what == "skills":
        more = _count(kind, gained)
        zh, en = f"{more.zh}的必备技能由此齐备", f"then no required skill is missing for {more.en}"
    else:
        more = _count(kind, gained, "more ")
        zh, en = f"增加{more.zh}符合条件", f"{more.en} {'qualifies' if gained == 1 else 'qualify'}"
    if lost != 0:
        fewer = _count(kind, lost)
        zh, en = f"{zh}，减少{fewer.zh}", f"{en}, {fewer.en} no longer"
    return {"zh": f"{said.zh}：{zh}。", "en": f"{_capital(said.en)}: {en}."}


def say_shut_out(kind: AnchorKind, gate: str, count: int | None) -> Texts:
    """How many fail this gate of the anchor's and nothing else."""
    zh, en = _GATES[gate]
    many = _count(kind, count)
    return {"zh": f"仅因{zh}不符：{many.zh}。", "en": f"The {en} alone shuts out {many.en}."}


def _said(change: Change, labels: Labels) -> Pair:
    what = "nothing" if change.what == "experience" and not change.to else change.what
    zh, en = _CHANGES[change.of][what]
    names = _names(change, labels)
    numbers = {"to": change.to, "by": change.by, "currency": change.currency}
    return Pair(zh.format(names=names.zh, **numbers), en.format(names=names.en, **numbers))


def _names(change: Change, labels: Labels) -> Pair:
    if change.what == "education":
        return Pair(*EDUCATION[change.names[0]])
    if change.what == "employment_type":
        return Pair(*_TYPES[change.names[0]])
    return listed(change.names, labels)


def _count(kind: AnchorKind, count: int | None, more: str = "") -> Pair:
    """People for a posting, postings for a seeker."""
    zh, one, many = ("人", "person", "people") if kind is AnchorKind.POSTING else ("个岗位", "posting", "postings")
    if count is None:
        return Pair(f"不足{FEW}{zh}", f"fewer than {FEW} {more}{many}")
    return Pair(f"{count:,}{zh}", f"{count:,} {more}{one if count == 1 else many}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
