"""The demo's course: stream, wait for every answer, show what happened. All is checked from outside."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.demo import choosing, latency, report
from deploy.demo.front import Front, Json
from deploy.demo.lists import StoredLists
from deploy.demo.material import Material
from deploy.demo.partner import Partner
from deploy.demo.progress import Bars
from deploy.demo.season import PartnerPosting
from deploy.demo.traces import Sender, steps
from shared.contracts.partners import JobTechAdPublished, PartnerPostingSubmitted, PostingReceipt
from shared.contracts.postings import PostingTerms

RECORDS: Final = 500
"""Partner's records sent together, and seekers imported together."""
SINGLES: Final = 5
"""Seekers who register themselves, with `POST /seekers`."""
IMPORTS: Final = 2
"""In flight at once."""
LATER: Final = 100
"""Postings changed, and seekers more, to measure the latency."""
PATIENCE_S: Final = 60.0
"""As long as something moves, nothing is missing."""
POLL_S: Final = 0.25
SPANS_S: Final = 10.0
"""Services write their spans out every half second."""
LAST_STEP: Final = "notifications.lists"
_POSTINGS: Final = {PartnerPostingSubmitted.__name__, JobTechAdPublished.__name__}


class DemoError(RuntimeError):
    """The demo's own check failed; the message is a plain sentence."""


@dataclass(slots=True)
class Ledger:
    """What was sent and answered."""

    kept: dict[str, PartnerPosting] = field(default_factory=dict)
    """Postings as they were sent, by the partner's id; the first few, to be changed later."""
    seekers: list[str] = field(default_factory=list)
    """Ids of all who were registered."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that the demo talks to."""

    console: Console
    front: Front
    partner: Partner
    lists: StoredLists
    material: Material
    root: Path
    alive: Callable[[], None]
    """Raises if a service has ended."""


async def play(stage: Stage) -> None:
    """All of it, once. Raises DemoError when an answer is missing."""
    ledger = Ledger()
    await _stream(stage, ledger)
    await _counts(stage, ledger)
    first = await _recommendations(stage, ledger)
    if first is not None:
        await _way(stage, first)
    await _latency(stage, ledger)


# ----------------------------------------------------------------------------------------- streaming
async def _stream(stage: Stage, ledger: Ledger) -> None:
    """Postings and seekers at the same time; ends when every record and every anchor has its answer."""
    size = stage.material.size
    totals = {
        "岗位已发布 postings published": size.postings,
        "已收回执 receipts": size.postings,
        "求职者已登记 seekers registered": size.seekers,
        "推荐列表已存 lists stored": (stage.material.named or size.postings) + size.seekers,
    }
    published, receipts, registered, stored = totals
    started = time.monotonic()
    already = await stage.lists.count()
    with Bars(stage.console, totals) as bars:

        async def sending() -> None:
            postings = islice(stage.material.postings, size.postings)
            while chunk := list(islice(postings, RECORDS)):
                if stage.material.by_http:
                    await stage.partner.upload(stage.front, chunk)
                else:
                    await stage.partner.publish(chunk)
                _keep(ledger, chunk, stage.material.closed)
                bars.add(published, len(chunk))

        async def registering() -> None:
            seekers = islice(stage.material.seekers, size.seekers)
            for number, submission in enumerate(islice(seekers, SINGLES)):
                answer = await stage.front.register(f"demo-seeker-{number + 1}", submission)
                ledger.seekers.append(answer["id"])
                bars.add(registered, 1)
            async with asyncio.TaskGroup() as group:
                for _ in range(IMPORTS):
                    group.create_task(importing(seekers))

        async def importing(seekers: Iterator[bytes]) -> None:
            while chunk := list(islice(seekers, RECORDS)):
                answer = await stage.front.import_seekers(chunk)
                if answer["rejected"]:
                    fault = next(item["faults"][0] for item in answer["items"] if item["faults"])
                    raise DemoError(f"{answer['rejected']} seekers were refused: {fault['reason']['en']}")
                ledger.seekers += [item["id"] for item in answer["items"]]
                bars.add(registered, len(chunk))

        async with asyncio.TaskGroup() as group:
            group.create_task(sending())
            group.create_task(registering())
            group.create_task(_settled(stage, ledger, bars, (receipts, stored), already))
    ledger.seconds = time.monotonic() - started


def _keep(ledger: Ledger, chunk: Sequence[PartnerPosting], closed: Container[str]) -> None:
    """A few that are there to be changed later."""
    for posting in chunk:
        if len(ledger.kept) == 2 * LATER:
            return
        if posting.event_type in _POSTINGS and posting.id not in closed:
            ledger.kept[posting.id] = posting


async def _settled(stage: Stage, ledger: Ledger, bars: Bars, names: tuple[str, str], already: int) -> None:
    """Until every record has its receipt and every anchor its list. Raises DemoError if nothing moves."""
    receipts, stored = names
    size, partner = stage.material.size, stage.partner
    before, moved = (0, 0, 0, 0), time.monotonic()
    while True:
        await asyncio.sleep(POLL_S)
        stage.alive()
        lists = await stage.lists.count() - already
        bars.set(receipts, len(partner.answered))
        bars.set(stored, lists)
        complete = (len(ledger.seekers), len(partner.answered)) == (size.seekers, size.postings)
        missing: Sequence[str] = ()
        if complete and lists >= len(_anchors(stage, ledger)):
            missing = await stage.lists.missing(_anchors(stage, ledger)) or await stage.lists.naming(_closed(stage))
            if not missing:
                return
        now = (len(ledger.seekers), len(partner.answered), lists, len(missing))
        if now != before:
            before, moved = now, time.monotonic()
        elif time.monotonic() - moved > PATIENCE_S:
            raise DemoError(await _what_is_missing(stage, ledger))


async def _what_is_missing(stage: Stage, ledger: Ledger) -> str:
    receipts = stage.partner.missing()
    lists = await stage.lists.missing(_anchors(stage, ledger))
    naming = await stage.lists.naming(_closed(stage))
    return (
        f"Nothing has moved for {PATIENCE_S:.0f} s: {len(receipts)} of {stage.partner.sent} records have no "
        f"receipt (offsets {receipts[:5]}), {len(lists)} anchors no list (such as {lists[:3]}), "
        f"{len(ledger.seekers)} of {stage.material.size.seekers} seekers are registered, "
        f"{len(naming)} lists name a posting that is closed."
    )


def _closed(stage: Stage) -> set[str]:
    """Our ids of what is closed in the end."""
    receipts = stage.partner.receipts
    named = (receipts[one].posting_id for one in stage.material.closed if one in receipts)
    return {posting for posting in named if posting is not None}


def _anchors(stage: Stage, ledger: Ledger) -> dict[str, int]:
    """Every anchor that must have a list, with its version."""
    expected = {
        f"posting:{receipt.posting_id}": receipt.version or 0
        for receipt in stage.partner.receipts.values()
        if receipt.posting_id is not None
    }
    return expected | {f"seeker:{seeker}": 1 for seeker in ledger.seekers}


# ----------------------------------------------------------------------------------------- showing
async def _counts(stage: Stage, ledger: Ledger) -> None:
    partner, stock = stage.partner, await stage.lists.stock()
    if partner.contradicted:
        raise DemoError(f"{len(partner.contradicted)} records were answered twice, and not the same.")
    outcomes = ", ".join(f"{name} {count}" for name, count in sorted(partner.outcomes.items()))
    events, closed = partner.sent + len(ledger.seekers), _closed(stage)
    report.table(
        stage.console,
        "发生了什么 · What happened",
        [
            ("合作方岗位记录 partner's records", f"{partner.sent:,}"),
            ("回执 receipts", f"{len(partner.answered):,}  ({outcomes})"),
            *(
                [("已结束的岗位 postings closed again", f"{len(closed):,}  (不在任何列表 on no list)")]
                if closed
                else []
            ),
            ("求职者 profiles registered", f"{len(ledger.seekers):,}"),
            ("岗位推荐列表 lists of postings", f"{stock.postings:,}"),
            ("求职者推荐列表 lists of seekers", f"{stock.seekers:,}"),
            ("推荐的人岗组合 pairs recommended", f"{stock.pairs:,}"),
            ("获得推荐的岗位 postings with a seeker", _share(stock.postings_served, stock.postings)),
            ("获得推荐的求职者 seekers with a posting", _share(stock.seekers_served, stock.seekers)),
            ("用时 seconds", f"{ledger.seconds:.1f}  ({events / ledger.seconds:,.0f} events/s)"),
        ],
    )
    refused = [one for one in partner.answered.values() if isinstance(one, PostingReceipt) and one.faults]
    reasons = Counter(code for one in refused for code in {fault.code for fault in one.faults})
    for code, count in reasons.most_common(5):
        stage.console.print(f"  原因 reason {code}: {count:,}", highlight=False)
    for receipt in refused[:5]:
        told = "; ".join(f"{fault.pointer or '/'}: {report.both(fault.reason)}" for fault in receipt.faults)
        stage.console.print(f"  {receipt.outcome} {receipt.partner_posting_id}: {told}", highlight=False)


def _share(part: int, whole: int) -> str:
    return f"{part:,}  ({part / whole:.0%})" if whole else "0"


async def _recommendations(stage: Stage, ledger: Ledger) -> choosing.Shown | None:
    """Show three; returns the first."""
    ours = [receipt.posting_id for receipt in stage.partner.receipts.values() if receipt.posting_id]
    shown = await choosing.seekers_to_show(stage.front, ledger.seekers)
    stage.console.print("\n[bold]三条推荐 · Three recommendations[/bold]")
    for number, one in enumerate(shown, 1):
        report.recommendation(stage.console, number, one, employer=False)
    for_employer = await choosing.employer_to_show(stage.front, ours, {one.occupation for one in shown})
    if for_employer is not None:
        report.recommendation(stage.console, len(shown) + 1, for_employer, employer=True)
    return shown[0] if shown else None


async def _way(stage: Stage, shown: choosing.Shown) -> None:
    """One more posting like the one just shown, followed from the partner to the seeker's open stream."""
    seeker, copy = shown.profile["id"], _copy(shown.posting)
    inbox = await stage.front.get("seeker", seeker, "notifications", "/inbox", limit=1)
    sender, opened, sent = Sender.new(), asyncio.Event(), 0.0

    async def listening() -> float:
        events = stage.front.stream("seeker", seeker, inbox["seq"], opened)
        async for name, body in events:
            receipt = stage.partner.receipts.get(copy.id)
            if name == "recommended" and (receipt is None or body["posting"]["id"] == receipt.posting_id):
                break
        return time.perf_counter()

    listener = asyncio.create_task(listening())
    await asyncio.wait_for(opened.wait(), PATIENCE_S)
    sent_ns, sent = time.time_ns(), time.perf_counter()
    await stage.partner.publish([copy], sender.traceparent)
    heard, _ = await asyncio.wait({listener}, timeout=SPANS_S)
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)
    heard_ms = (listener.result() - sent) * 1000 if heard else None
    await _spans_written(stage, sender)
    report.way(stage.console, steps(stage.root / "traces", sender.trace_id, sent_ns), heard_ms)


def _copy(posting: Json) -> PartnerPosting:
    """The same terms in our own form under another id, as the partner could send them."""
    terms = {name: posting[name] for name in PostingTerms.model_fields if name in posting}
    terms["title"] = {language: f"{text} *" for language, text in terms["title"].items()}
    terms |= {"id": f"{posting['source']['id']}-copy", "employer_reference": "example-copy"}
    return PartnerPosting(terms["id"], json.dumps(terms).encode())


async def _spans_written(stage: Stage, sender: Sender) -> None:
    deadline = time.monotonic() + SPANS_S
    while time.monotonic() < deadline:
        await asyncio.sleep(1)
        if any(step.name.startswith(LAST_STEP) for step in steps(stage.root / "traces", sender.trace_id, 0)):
            break
    await asyncio.sleep(1)


async def _latency(stage: Stage, ledger: Ledger) -> None:
    changes = []
    for posting in islice(ledger.kept.values(), 2 * LATER):
        receipt = stage.partner.receipts.get(posting.id)
        if receipt is not None and receipt.posting_id is not None and receipt.version is not None:
            changed = stage.material.changed(posting)
            changes.append(latency.Change(changed, receipt.posting_id, receipt.version + 1))
    seekers = list(islice(stage.material.seekers, LATER))
    count = min(len(changes), len(seekers), LATER)
    stage.console.print(
        f"\n再发送 {2 * count} 个事件测量时延 · {2 * count} events more, {latency.RATE} a second, to measure",
        highlight=False,
    )
    measured = await latency.measure(stage.partner, stage.front, stage.lists, changes[:count], seekers[:count])
    report.times(stage.console, measured)
    if measured.missing:
        raise DemoError(f"{len(measured.missing)} lists did not come, such as that of {measured.missing[0]}.")
