"""Answers events with lists: barrier, one unchanging state, compute, write, remember."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from services.matcher.domain.entries import entries
from services.matcher.usecases.lists import Cause, Issued, Lists
from services.matcher.usecases.world import World
from shared import metrics
from shared.broker import Outgoing
from shared.contracts.envelope import TOMBSTONE, WRITER_HEADER, event_headers
from shared.contracts.recommendations import AnchorKind, AsOf, RecommendationsRefreshed
from shared.contracts.registry import POSTING_LISTS, SEEKER_LISTS

LISTS_OF = {AnchorKind.POSTING: POSTING_LISTS, AnchorKind.SEEKER: SEEKER_LISTS}
Ends = Callable[[Sequence[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]
Write = Callable[[Sequence[Outgoing]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """One list as it is to be written."""

    anchor: str
    issued: Issued
    record: Outgoing


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

    async def answer(self, kind: AnchorKind, causes: Mapping[str, Cause], reason: str) -> None:
        """Compute and write the lists of these anchors.

        Raises Unavailable when Kafka is away; what was not written then is computed again.
        """
        waiting = dict(causes)
        async with self._lists[kind].writing:
            while waiting:
                chosen = list(waiting)[: self._chunk]
                chunk = {anchor: waiting.pop(anchor) for anchor in chosen}
                waiting |= await self._answer_chunk(kind, chunk, reason)

    async def _answer_chunk(self, kind: AnchorKind, chunk: dict[str, Cause], reason: str) -> dict[str, Cause]:
        """Write one chunk; returns what changed meanwhile and has to be asked again."""
        lists, world = self._lists[kind], self._world
        # No pair is missed: the question for the end comes after the versions that are answered, so whatever
        # of the other side came before is seen, and whoever comes later sees these versions.
        asked = {anchor: max(cause.version, world.version(kind, anchor)) for anchor, cause in chunk.items()}
        await world.reach(await self._ends(world.wheres()))
        async with world.lock:
            again = {a: cause for a, cause in chunk.items() if world.version(kind, a) != asked[a]}
            settled = [a for a in chunk if a not in again and self._is_due(lists, a, chunk[a], asked[a])]
            answers = await asyncio.to_thread(self._compute, kind, {a: chunk[a] for a in settled})
            for one in answers:
                lists.put(one.anchor, one.issued)
        if answers:
            try:
                await self._write([one.record for one in answers])
            except BaseException:
                for one in answers:
                    lists.mark(one.anchor, Cause(one.issued.partition, chunk[one.anchor].now, force=True))
                raise
            for one in answers:
                one.issued.written = True
            metrics.LISTS.labels(kind.value, reason).inc(len(answers))
        return again

    @staticmethod
    def _is_due(lists: Lists, anchor: str, cause: Cause, version: int) -> bool:
        """False for what is not ours, and for an event that was answered already."""
        if not lists.owns(cause.partition):
            return False
        issued = lists.issued.get(anchor)
        answered = issued is not None and issued.written and issued.version == version
        return cause.force or cause.version == 0 or not answered

    def _compute(self, kind: AnchorKind, chunk: Mapping[str, Cause]) -> list[Answer]:
        """In a worker thread, while the index does not change."""
        as_of = self._world.as_of()
        found = []
        for anchor, cause in chunk.items():
            with metrics.LIST_SECONDS.labels(kind.value).time():
                one = self._one(kind, anchor, cause, as_of)
            if one is not None:
                found.append(one)
        return found

    def _one(self, kind: AnchorKind, anchor: str, cause: Cause, as_of: AsOf) -> Answer | None:
        before, revision = self._lists[kind].issued.get(anchor), self._lists[kind].next_revision(anchor)
        body = self.current(kind, anchor, cause, as_of, revision)
        if body is None:
            if before is not None and before.version == 0 and before.written and not cause.force:
                return None
            gone = Issued(cause.partition, revision, 0, active=False, entries=(), written=False)
            return Answer(anchor, gone, self._record(kind, anchor, cause, revision, None))
        entry_ids = tuple(entry.id for entry in body.entries)
        same = (
            before is not None
            and before.version == body.anchor_version
            and before.active == body.active
            and before.entries == entry_ids
        )
        if same and cause.version == 0 and not cause.force:
            return None
        issued = Issued(cause.partition, body.revision, body.anchor_version, body.active, entry_ids, written=False)
        value = body.model_dump_json(exclude_defaults=True).encode()
        return Answer(anchor, issued, self._record(kind, anchor, cause, body.revision, value))

    def current(
        self, kind: AnchorKind, anchor: str, cause: Cause, as_of: AsOf, revision: int
    ) -> RecommendationsRefreshed | None:
        """The list as of this state of the index; None if the anchor is erased or unknown."""
        index = self._world.index
        standing = index.standing(kind, anchor)
        if standing is None:
            return None
        best = index.top(kind, anchor, cause.now) if standing.active else []
        return RecommendationsRefreshed.model_construct(
            kind=kind,
            anchor=anchor,
            revision=revision,
            anchor_version=standing.version,
            as_of=as_of,
            now=cause.now,
            policy=index.policy.version,
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
