"""A partner's scorecard as a page for people: plain HTML, in Chinese or English, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from typing import Final, Literal

from services.postings.domain.days import Day
from services.postings.domain.pulling import PullStatus
from services.postings.domain.scorecard import Scorecard
from shared.contracts.partners import Outcome

Language = Literal["zh", "en"]

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("合作方评分卡", "Partner scorecard"),
    "state": ("状态", "State"),
    "active": ("正常", "active"),
    "paused": ("已暂停", "paused"),
    "retired": ("已停用", "retired"),
    "sandbox": ("沙箱：不会展示给求职者", "sandbox: nothing reaches seekers"),
    "at": ("统计时间", "As of"),
    "waiting": ("待答复记录", "Records that wait for an answer"),
    "answered_at": ("最近已答复记录的到达时间", "Newest answered record came at"),
    "records": ("已答复记录", "Records answered"),
    "accepted": ("接受", "accepted"),
    "unchanged": ("无变化", "unchanged"),
    "stale": ("过期", "stale"),
    "rejected": ("拒收", "rejected"),
    "reasons": ("问题与改法", "What is wrong, and how to mend it"),
    "count": ("记录数", "Records"),
    "where": ("位置", "Where"),
    "example": ("示例", "Example"),
    "drift": ("最近一次快照", "Last snapshot"),
    "named": ("点名岗位", "postings named"),
    "open_now": ("现开放岗位", "postings open now"),
    "pull": ("数据源拉取", "Feed that is fetched"),
    "fetched_at": ("上次拉取", "last fetch"),
    "next_at": ("下次拉取", "next"),
    "stopped": ("已停止", "stopped"),
    "newest": ("最新记录时间", "newest record"),
    "written": ("写入记录", "records written"),
    "trouble": ("拉取故障", "What is wrong with it"),
    "days": ("每日结果", "Day by day"),
    "became": ("岗位去向", "What became of its postings"),
    "open": ("开放", "open"),
    "recommended": ("已推荐", "recommended"),
    "recommendations": ("推荐人次", "to seekers"),
    "closed": ("当日关闭", "closed that day"),
    "filled": ("其中已招满", "of these filled"),
    "day": ("日期（UTC）", "Day (UTC)"),
    "unknown": ("未知", "not known"),
    "none": ("没有", "none"),
}
_COLOURS: Final = {
    Outcome.ACCEPTED: "#2e7d32",
    Outcome.UNCHANGED: "#90a4ae",
    Outcome.STALE: "#f9a825",
    Outcome.REJECTED: "#c62828",
}
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.25rem .75rem;text-align:left;"
    "border-bottom:1px solid #ddd;vertical-align:top}td.n,th.n{text-align:right}"
)
_BECAME: Final = ("open", "recommended", "recommendations", "closed", "filled")
_SHOWN_DAYS: Final = 31
_BAR, _HEIGHT, _GAP = 16, 120, 4


def page(card: Scorecard, language: Language) -> str:
    """The whole document."""

    def say(name: str) -> str:
        return escape(_WORDS[name][language == "en"])

    facts = [
        (say("state"), say(card.state.value) + (f" · {say('sandbox')}" if card.sandbox else "")),
        (say("at"), _time(card.at)),
        (say("waiting"), say("unknown") if card.waiting is None else f"{card.waiting:,}"),
        (say("answered_at"), say("none") if card.answered_at is None else _time(card.answered_at)),
        (say("records"), f"{card.records:,}"),
        *((say(name), _share(share)) for name, share in _shares(card)),
    ]
    if card.drift is not None:
        named = f"{card.drift.named:,} {say('named')}, {card.drift.open_now:,} {say('open_now')}"
        facts.append((say("drift"), f"{card.drift.epoch} ({_time(card.drift.begun_at)}): {named}"))
    if card.pull is not None:
        facts += _pull(card.pull, language, say)
    reasons = [
        (
            f"{one.records:,}",
            f"{escape(one.code)}: {escape(one.reason.get(language) or next(iter(one.reason.values()), ''))}",
            f"<code>{escape(one.pointer or '/')}</code>",
            f"<code>{escape(one.example)}</code>",
        )
        for one in card.reasons
    ]
    days = card.days[:_SHOWN_DAYS]
    counts = [(str(day.day), *(f"{day.outcomes.get(outcome, 0):,}" for outcome in _COLOURS)) for day in days]
    heads = [say("day"), *(say(outcome.value) for outcome in _COLOURS)]
    became = [(str(one.day), *(f"{getattr(one, name):,}" for name in _BECAME)) for one in card.became[:_SHOWN_DAYS]]
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{say("title")}: {escape(card.name)}'
        f"</title><style>{_STYLE}</style><h1>{escape(card.name)} <small>{escape(card.partner)}</small></h1>"
        f"{_table([], facts)}<h2>{say('reasons')}</h2>"
        f"{_table([say('count'), say('reasons'), say('where'), say('example')], reasons) if reasons else say('none')}"
        f"<h2>{say('days')}</h2>{_bars(days)}{_table(heads, counts) if counts else say('none')}"
        f"<h2>{say('became')}</h2>"
        f"{_table([say('day'), *map(say, _BECAME)], became) if became else say('none')}</html>"
    )


def _pull(pull: PullStatus, language: Language, say: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    def moment(name: str, at: object, otherwise: str) -> str:
        return f"{say(name)}: {say(otherwise) if at is None else _time(at)}"

    found = [
        escape(pull.url),
        moment("fetched_at", pull.fetched_at, "none"),
        moment("next_at", pull.next_at, "stopped" if pull.fetched_at else "none"),
        moment("newest", pull.newest, "none"),
        f"{say('written')}: {pull.records:,}",
    ]
    yield say("pull"), "<br>".join(found)
    if pull.trouble is not None:
        since = _time(pull.trouble.since)
        yield (
            say("trouble"),
            f"{escape(pull.trouble.reason[language])} <code>{escape(pull.trouble.code)}</code> ({since})",
        )


def _shares(card: Scorecard) -> tuple[tuple[str, float | None], ...]:
    return (
        ("accepted", card.accepted_share),
        ("unchanged", card.unchanged_share),
        ("rejected", card.rejected_share),
    )


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"  # noqa: RUF001 - nothing known


def _time(at: object) -> str:
    return escape(f"{at:%Y-%m-%d %H:%M} UTC")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    head = "".join(f"<th>{one}</th>" for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def _bars(days: Sequence[Day]) -> str:
    """One bar a day, the oldest first, its outcomes one upon the other."""
    most = max((sum(day.outcomes.values()) for day in days), default=0)
    if not most:
        return ""
    drawn = []
    for place, day in enumerate(reversed(days)):
        top = float(_HEIGHT)
        for outcome, colour in _COLOURS.items():
            height = _HEIGHT * day.outcomes.get(outcome, 0) / most
            top -= height
            drawn.append(
                f'<rect x="{place * (_BAR + _GAP)}" y="{top:.1f}" width="{_BAR}" height="{height:.1f}" fill="{colour}">'
                f"<title>{day.day} {outcome.value} {day.outcomes.get(outcome, 0)}</title></rect>"
            )
    width = len(days) * (_BAR + _GAP)
    return f'<svg width="{width}" height="{_HEIGHT}" role="img">{"".join(drawn)}</svg>'
