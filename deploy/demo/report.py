"""What people read at the end: counts, recommendations, the way of one event, times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.demo.choosing import Shown
from deploy.demo.front import Json
from deploy.demo.latency import Latency, percentile
from deploy.demo.traces import Step

PARTS: Final = {
    "occupation": "职业 occupation",
    "required_skills": "必备技能 required skills",
    "preferred_skills": "优先技能 preferred skills",
    "education": "学历 education",
    "experience": "经验 experience",
    "place": "地点 place",
    "pay": "薪资 pay",
    "benefits": "福利 benefits",
    "key_group": "重点群体 key group",
}
"""Components of a score, for people."""
BAR: Final = 28
"""Characters of the longest bar of a timeline."""


def both(texts: Mapping[str, str] | None) -> str:
    """A text in zh and en, else in the language that there is."""
    if not texts:
        return "–"  # noqa: RUF001 - nothing known
    chosen = [texts[language] for language in ("zh", "en") if language in texts] or list(texts.values())[:1]
    return " / ".join(dict.fromkeys(chosen))


def labels(codes: Sequence[Json] | None) -> str:
    """Codes as people know them."""
    return ", ".join(both(code.get("label")) if code.get("label") else str(code["code"]) for code in codes or ())


def table(console: Console, title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Names and values."""
    grid = Table(title=title, title_justify="left", title_style="bold", show_header=False)
    grid.add_column()
    grid.add_column(justify="right")
    for name, value in rows:
        grid.add_row(name, value)
    console.print(grid)


def recommendation(console: Console, number: int, shown: Shown, *, employer: bool) -> None:
    """One recommendation with its reasons."""
    item, posting, profile = shown.item, shown.posting, shown.profile
    who = "给用人单位 For an employer" if employer else "给求职者 For a seeker"
    about = Table.grid(padding=(0, 2))
    about.add_column(style="dim", no_wrap=True)
    about.add_column(overflow="fold")
    about.add_row("求职者 seeker", f"{profile['id']}  ·  想找 wants {labels(profile['occupations'])}")
    if profile.get("words"):
        about.add_row("", f"原话 in own words: {profile['words']}")
    about.add_row("", _brings(profile))
    about.add_row("岗位 posting", f"[bold]{both(posting['title'])}[/bold]  ·  {posting['employer_name']}")
    about.add_row("", _offers(posting))
    points = ", ".join(
        f"{PARTS[name]} {value}" for name, value in (item["components"] or {}).items() if value and name in PARTS
    )
    about.add_row("得分 points", f"[bold]{item['points']}[/bold]  =  {points}")
    explanation = item["explanation"] or {}
    reasons = Group(Text(explanation.get("zh", "")), Text(explanation.get("en", "")))
    more = f"收件箱另有 {shown.others} 条 · {shown.others} more in this inbox"
    title = f"{number}  {who}"
    console.print(Panel(Group(about, Text(), reasons), title=title, subtitle=more, title_align="left"))


def _brings(profile: Json) -> str:
    months, places = profile.get("experience_months"), labels(profile["regions"])
    facts = [
        f"{months} 个月经验 months" if months is not None else "经验不详 experience not known",
        str(profile.get("education") or "学历不详 education not known"),
        f"{len(profile['skills'])} 项技能 skills",
        f"愿在 would work in {places}" if places else "",
        _money("至少 at least", profile["pay_floor"]["amount"], None, profile["pay_floor"]["currency"])
        if profile.get("pay_floor")
        else "",
    ]
    return "  ·  ".join(fact for fact in facts if fact)


def _offers(posting: Json) -> str:
    pay = posting.get("pay")
    facts = [
        labels([posting["occupation"]]) if posting.get("occupation") else "",
        labels(posting["regions"]),
        _money("", pay["min"], pay["max"], pay["currency"]) if pay else "薪资不详 pay not known",
        f"{posting['openings']} 人 openings",
    ]
    return "  ·  ".join(fact for fact in facts if fact)


def _money(before: str, low: int | None, high: int | None, currency: str) -> str:
    amounts = " - ".join(f"{amount:,}" for amount in (low, high) if amount is not None)
    return f"{before} {currency} {amounts} / 月 month".strip()


def way(console: Console, steps: Sequence[Step], heard_ms: float | None) -> None:
    """A trace as a timeline: when each step began, how long it took, and what it belongs to."""
    grid = Table(
        title="一个事件经过各服务的路径 · The way of one event through the services",
        title_justify="left",
        title_style="bold",
    )
    for name in ("始 at", "用时 ms"):
        grid.add_column(name, justify="right", no_wrap=True)
    for name in ("服务 service", "步骤 step", "时间线 timeline"):
        grid.add_column(name, no_wrap=True)
    end = max((step.start_ms + step.took_ms for step in steps), default=1.0)
    for step in steps:
        before = max(0, round(step.start_ms / end * BAR))
        long = min(max(1, round(step.took_ms / end * BAR)), max(1, BAR - before))
        grid.add_row(
            f"{step.start_ms:.1f}",
            f"{step.took_ms:.1f}",
            step.service,
            "  " * step.depth + step.name.removeprefix(f"{step.service}."),
            " " * before + "█" * long,
        )
    console.print(grid)
    told = "求职者的事件流收到推荐 · the seeker's open stream told of it"
    kept = "求职者名单上已有更合适的 · the lists had better ones: the seeker was not told"
    console.print(f"  {heard_ms:.0f} ms: {told}" if heard_ms is not None else f"  {kept}", highlight=False)


def times(console: Console, latency: Latency) -> None:
    """Latency by kind of event."""
    grid = Table(title="时延 · Latency", title_justify="left", title_style="bold")
    grid.add_column("从 from → 到 to 推荐列表已存 list stored by notifications")
    for name in ("n", "p50 ms", "p99 ms"):
        grid.add_column(name, justify="right")
    names = {
        "posting": "合作方记录已入 Kafka · partner's record acknowledged by Kafka",
        "seeker": "HTTP 已答复 · POST /seekers answered",
    }
    for kind, values in latency.milliseconds.items():
        if values:
            row = (f"{percentile(values, 50):.0f}", f"{percentile(values, 99):.0f}")
            grid.add_row(names[kind], str(len(values)), *row)
    console.print(grid)
