"""Duplicates: list what may be the same vacancy from two sources, and say that it is, or that it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from deploy.operator.answers import Answer, Json

if TYPE_CHECKING:
    from deploy.operator.postings import Register

_SAID: Final = {
    "accepted": ("已认定为同一岗位", "said to be one vacancy"),
    "refused": ("已认定为不同岗位，不会再合并", "said to be two vacancies; they are not merged again"),
}


def listed(register: Register, state: str, limit: int) -> Answer:
    """Pairs of a state, each with what an operator compares."""
    rows = register.duplicates(state, limit)
    zh, en = [], []
    for row in rows:
        pair, sides = row["pair"], (row["first"], row["second"])
        against = ", ".join(pair.get("against", ()))
        zh.append(
            f"{pair['first']} {pair['second']}  相似度 {pair['score']:.2f}  {'矛盾：' + against if against else ''}"
        )
        en.append(
            f"{pair['first']} {pair['second']}  alike {pair['score']:.2f}  {'against: ' + against if against else ''}"
        )
        for lines in (zh, en):
            lines += [_side(one) for one in sides]
    return Answer(
        "\n".join(zh) or "没有这样的岗位对",
        "\n".join(en) or "There are no such pairs",
        {"duplicates": rows},
    )


def decide(register: Register, first: str, second: str, command: Literal["merge", "part"]) -> Answer:
    """Two postings are one vacancy, or are not. Either may be said again, and taken back by the other."""
    row = register.decide(first, second, command)
    zh, en = _SAID[row["pair"]["state"]]
    shown = [_side(row[side]) for side in ("first", "second")]
    return Answer("\n".join([f"{first} {second} {zh}", *shown]), "\n".join([f"{first} {second}: {en}", *shown]), row)


def _side(posting: Json) -> str:
    source = posting.get("source", {})
    places = ", ".join(f"{region['scheme']}:{region['code']}" for region in posting.get("regions", ()))
    into = posting.get("merged_into")
    where = posting["status"] if not into else f"{posting['status']}, merged into {into}"
    title = " / ".join(posting["title"].values())
    who = source.get("partner") or "own"
    return f"    {who:<16} {title}  | {posting.get('employer_name') or '?'} | {places or '?'} | {where}"
