"""Words in zh and en for what is read in several sentences, and how codes are named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shared.contracts.common import Education, Texts

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
    "distance": ("路程", "distance"),
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
BENEFITS: Final = {
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
KEY_GROUPS: Final = {
    "graduate": ("高校毕业生", "graduates"),
    "migrant_worker": ("农民工", "migrant workers"),
    "in_difficulty": ("就业困难人员", "people who find it hard to get work"),
    "out_of_poverty": ("脱贫人口", "people lifted out of poverty"),
    "veteran": ("退役军人", "veterans"),
    "disabled": ("残疾人", "people with disabilities"),
}
WISHES: Final = {
    "skills": ("技能", "skills"),
    "required_skills": ("必备技能", "required skills"),
    "preferred_skills": ("优先技能", "preferred skills"),
    "benefits": ("福利", "benefits"),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """The same in both languages."""

    zh: str
    en: str


def named(table: Mapping[str, tuple[str, str]], names: Iterable[str]) -> Pair:
    """Words of a table, one after the other."""
    pairs = [table[name] for name in names]
    return Pair("、".join(zh for zh, _ in pairs), ", ".join(en for _, en in pairs))


def level(education: Education) -> Pair:
    """A level of education."""
    return Pair(*EDUCATION[education.value])


def duration(months: int) -> Pair:
    """A time in years and months."""
    if not months:
        return Pair("无", "none")
    years, rest = divmod(months, 12)
    zh = (f"{years}年" if years else "") + (f"{rest}个月" if rest else "")
    en = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in ((years, "year"), (rest, "month")) if count]
    return Pair(zh, " ".join(en))


def money(amount: int, currency: str) -> Pair:
    """Whole units of a currency."""
    return Pair(f"{amount:,}元" if currency == "CNY" else f"{amount:,} {currency}", f"{amount:,} {currency}")


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
