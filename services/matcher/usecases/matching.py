"""Answers events with lists: barrier, one unchanging state, compute, write, remember."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from aiokafka import TopicPartition
from opentelemetry.trace import Span

from services.matcher.domain.entries import entries
from services.matcher.usecases.lists import Issued, Lists, made_by
from services.matcher.usecases.waiting import Cause
from services.matcher.usecases.world import World
from shared import metrics, telemetry
from shared.broker import Outgoing
from shared.contracts.envelope import TOMBSTONE, WRITER_HEADER, event_headers
from shared.contracts.lists import AsOfBody, ListBody, encode
from shared.contracts.recommendations import AnchorKind, AsOf, RecommendationsRefreshed
from shared.contracts.registry import POSTING_LISTS, SEEKER_LISTS

LISTS_OF = {AnchorKind.POSTING: POSTING_LISTS, AnchorKind.SEEKER: SEEKER_LISTS}
Ends = Callable[[Sequence[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]
Write = Callable[[Sequence[Outgoing]], Awaitable[object]]
Causes = Mapping[AnchorKind, Mapping[str, Cause]]
Asked = tuple[AnchorKind, str, Cause]
"""One anchor that waits, and why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One list as it is to be written."""

    kind: AnchorKind
    anchor: str
    cause: Cause
    issued: Issued
    record: Outgoing
    span: Span | None = None
    """Ends when the list is written."""


class Matching:
    """Computes and writes the lists of owned anchors."""

    def __init__(
        self,
        world: World,
        lists: Mapping[AnchorKind, Lists],
        ends: Ends,
        write: Write,
        writer: str,
        chunk: int,
    ) -> None:
        self._world = world
        self._lists = lists
        self._ends = ends
        self._write = write
        self._writer = writer
        self._chunk = chunk
        self._writing = asyncio.Lock()
        """Held from computing to acknowledgement: revisions of an anchor are written in their order."""

    async def answer(self, causes: Causes) -> None:
        """Compute and write the lists of these anchors.

        Raises Unavailable when Kafka is away; what was not written then is computed again.
        """
        waiting = [(kind, anchor, cause) for kind, anchors in causes.items() for anchor, cause in anchors.items()]
        while waiting:
            chunk, waiting = waiting[: self._chunk], waiting[self._chunk :]
            async with self._writing:
                # whoever had the lock may have answered them, and even to ask for the ends takes time
                chunk = [one for one in chunk if self._is_unanswered(*one)]
                waiting += await self._answer_chunk(chunk, math.inf) if chunk else []

    async def refresh(self, waiting: Sequence[Asked], seconds: float) -> list[Asked]:
        """As many of these lists, at least one, as can be computed in so many seconds; returns the others.

        The index does not change meanwhile, so events wait as long. Raises Unavailable when Kafka is away.
        """
        async with self._writing:
            return await self._answer_chunk(list(waiting), seconds)

    async def _answer_chunk(self, chunk: list[Asked], seconds: float) -> list[Asked]:
        """Write one chunk; returns what was not computed in time, or changed meanwhile and has to be asked again."""
        world = self._world
        # No pair is missed: the question for the end comes after the versions that are answered, so whatever
        # of the other side came before is seen, and whoever comes later sees these versions.
        asked = [max(cause.version, world.version(kind, anchor)) for kind, anchor, cause in chunk]
        await world.reach(await self._ends(world.wheres()))
        again: list[Asked] = []
        settled: list[Asked] = []
        async with world.lock:
            for one, version in zip(chunk, asked, strict=True):
                kind, anchor, cause = one
                if world.version(kind, anchor) > version:
                    again.append(one)
                elif self._is_due(self._lists[kind], anchor, cause, version):
                    settled.append(one)
            answers, late = await asyncio.to_thread(self._compute, settled, seconds) if settled else ([], [])
            # a partition that has gone meanwhile, even if it is back, is loaded anew: then its anchors are marked
            answers = [answer for answer in answers if self._lists[answer.kind].owns(answer.issued.partition)]
            for answer in answers:
                self._lists[answer.kind].answered(answer.anchor, answer.issued)
        if answers:
            await self._emit(answers)
        return again + late

    async def _emit(self, answers: Sequence[Answer]) -> None:
        try:
            await self._write([answer.record for answer in answers])
        except BaseException:
            for answer in answers:
                cause = Cause(answer.issued.partition, answer.cause.now, force=True)
                self._lists[answer.kind].mark(answer.anchor, cause)
            raise
        finally:
            for answer in answers:
                if answer.span is not None:
                    answer.span.end()
        for answer in answers:
            answer.issued.written = True
            metrics.LISTS.labels(answer.kind.value, "anchor" if answer.cause.version else "refresh").inc()

    def _is_unanswered(self, kind: AnchorKind, anchor: str, cause: Cause) -> bool:
        return cause.force or cause.version == 0 or self._lists[kind].lacks(anchor, cause.version)

    @staticmethod
    def _is_due(lists: Lists, anchor: str, cause: Cause, version: int) -> bool:
        """False for what is not ours, and for an event that was answered already."""
        if not lists.owns(cause.partition):
            return False
        issued = lists.issued.get(anchor)
        answered = issued is not None and issued.written and issued.version == version
        return cause.force or cause.version == 0 or not answered

    def _compute(self, chunk: Sequence[Asked], seconds: float) -> tuple[list[Answer], list[Asked]]:
        """In a worker thread, while the index does not change; also gives what was not begun in time."""
        as_of, until = self._world.as_of(), time.monotonic() + seconds
        found: list[Answer] = []
        for place, (kind, anchor, cause) in enumerate(chunk):
            if place and time.monotonic() > until:
                return found, list(chunk[place:])
            span = telemetry.begin_message(f"answer {kind.value}", cause.traceparent, {"subject": anchor})
            traced = cause if span is None else replace(cause, traceparent=telemetry.traceparent_of(span))
            with metrics.LIST_SECONDS.labels(kind.value).time():
                one = self._one(kind, anchor, traced, as_of)
            if one is not None:
                found.append(replace(one, span=span))
            elif span is not None:
                span.end()
        return found, []

    def _one(self, kind: AnchorKind, anchor: str, cause: Cause, as_of: AsOf) -> Answer | None:
        before, revision = self._lists[kind].issued.get(anchor), self._lists[kind].next_revision(anchor)
        body = self.current(kind, anchor, cause, as_of, revision)
        if body is None:
            if before is not None and before.version == 0 and before.written and not cause.force:
                return None
            gone = Issued(cause.partition, revision, 0, active=False, entries=(), written=False)
            return Answer(kind, anchor, cause, gone, self._record(kind, anchor, cause, revision, None))
        entry_ids = tuple(entry.id for entry in body.entries)
        same = (
            before is not None
            and before.version == body.anchor_version
            and before.active == body.active
            and before.entries == entry_ids
            and before.made_by == (body.policy, body.taxonomy)
        )
        if same and cause.version == 0 and not cause.force:
            return None
        made = made_by(body.policy, body.taxonomy)
        issued = Issued(
            cause.partition, body.revision, body.anchor_version, body.active, entry_ids, made, written=False
        )
        return Answer(kind, anchor, cause, issued, self._record(kind, anchor, cause, body.revision, encode(body)))

    def current(self, kind: AnchorKind, anchor: str, cause: Cause, as_of: AsOf, revision: int) -> ListBody | None:
        """The list as of this state of the index; None if the anchor is erased or unknown."""
        index = self._world.index
        standing = index.standing(kind, anchor)
        if standing is None:
            return None
        best = index.top(kind, anchor, cause.now) if standing.active else []
        return ListBody(
            kind=kind,
            anchor=anchor,
            revision=revision,
            anchor_version=standing.version,
            as_of=AsOfBody(as_of.postings, as_of.profiles),
            now=cause.now,
            policy=index.policy.version,
            taxonomy=index.ties.version if standing.active else None,
            active=standing.active,
            employer_id=standing.sharers[0] if kind is AnchorKind.POSTING else None,
            entries=entries(index, kind, anchor, best),
        )

    def _record(self, kind: AnchorKind, anchor: str, cause: Cause, revision: int, value: bytes | None) -> Outgoing:
        headers = event_headers(
            source="urn:service:matcher",
            event_type=TOMBSTONE if value is None else RecommendationsRefreshed.__name__,
            subject=anchor,
            topic_family=LISTS_OF[kind],
            version=revision,
            traceparent=cause.traceparent,
        )
        headers[WRITER_HEADER] = self._writer
        return Outgoing(LISTS_OF[kind], anchor.encode(), value, headers, partition=cause.partition)
