"""The replicated index, how far it has read, and the barrier: one unchanging state at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import TopicPartition
from pydantic import BaseModel

from services.matcher.domain.bodies import PostingBody, ProfileBody
from services.matcher.domain.index import Index
from shared import metrics
from shared.contracts.common import Texts
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind, AsOf
from shared.contracts.registry import POSTINGS, PROFILES

TOPIC_OF = {AnchorKind.POSTING: POSTINGS, AnchorKind.SEEKER: PROFILES}


@dataclass(frozen=True, slots=True)
class Change:
    """What one record says of a posting or profile."""

    kind: AnchorKind
    key: str
    partition: int
    at: datetime
    """Kafka's time of the record."""
    version: int
    body: PostingBody | ProfileBody | Posting | Profile | None
    """None: a tombstone."""
    traceparent: str | None = None


Changed = Callable[[Change], None]
_START = datetime(2000, 1, 1, tzinfo=UTC)


class Known(BaseModel):
    """What a snapshot keeps beside the index."""

    ids: dict[AnchorKind, list[list[str]]]
    labels: dict[str, Texts]
    latest: datetime


class World:
    """The index with its positions. Change and question it only while holding `lock`."""

    def __init__(self, index: Index, partitions: Mapping[AnchorKind, int]) -> None:
        self.index = index
        self.lock = asyncio.Lock()
        self.caught_up = asyncio.Event()
        self.positions = {kind: [0] * count for kind, count in partitions.items()}
        self.latest = _START
        """Kafka's time of the newest record taken in."""
        self.known: dict[AnchorKind, list[set[str]]] = {
            kind: [set() for _ in range(count)] for kind, count in partitions.items()
        }
        """Ids by kind and partition: all that the topics hold, active or not, but for tombstones."""
        self.labels: dict[str, Texts] = {}
        """What people read for a skill, by its key, as postings say it."""
        self._moved = asyncio.Condition()

    async def apply(self, changes: Iterable[Change], positions: Mapping[TopicPartition, int], changed: Changed) -> None:
        """Take in what was read, call `changed` for each aggregate that is newer now, and move on."""
        async with self.lock:
            for change in [change for change in changes if self._take(change)]:
                changed(change)
            for where, following in positions.items():
                self.positions[_kind(where.topic)][where.partition] = following
            metrics.INDEX_ROWS.labels("posting").set(len(self.index.postings.row_of))
            metrics.INDEX_ROWS.labels("seeker").set(len(self.index.seekers.row_of))
        async with self._moved:
            self._moved.notify_all()

    def _take(self, change: Change) -> bool:
        index, kind, body = self.index, change.kind, change.body
        self.latest = max(self.latest, change.at)
        known = self.known[kind][change.partition]
        if isinstance(body, Posting | PostingBody):
            for skill in (*body.required_skills, *body.preferred_skills):
                if skill.label and skill.key not in self.labels:
                    self.labels[skill.key] = skill.label
            newer = index.upsert_posting(body)
        elif isinstance(body, Profile | ProfileBody):
            newer = index.upsert_profile(body)
        else:
            known.discard(change.key)
            remove = index.remove_posting if kind is AnchorKind.POSTING else index.remove_profile
            return remove(change.key, change.version, change.at)
        if change.key not in known:
            known.add(index.own_copy(kind, change.key))
        return newer

    def notes(self) -> Known:
        """What is kept beside the index."""
        return Known.model_construct(
            ids={kind: [list(ids) for ids in parts] for kind, parts in self.known.items()},
            labels=dict(self.labels),
            latest=self.latest,
        )

    def restore(self, index: Index, offsets: Mapping[str, Sequence[int]], known: Known) -> None:
        """Go on from here. Before anything is read."""
        self.index = index
        self.positions = {kind: list(offsets[topic]) for kind, topic in TOPIC_OF.items()}
        self.known = {
            kind: [{index.own_copy(kind, one) for one in ids} for ids in parts] for kind, parts in known.ids.items()
        }
        self.labels, self.latest = dict(known.labels), known.latest

    def begin_again(self) -> None:
        """Forget everything: the topics are not those that were read before."""
        self.index = Index(self.index.policy, self.index.ties)
        for kind, positions in self.positions.items():
            self.positions[kind] = [0] * len(positions)
            self.known[kind] = [set() for _ in positions]

    def label(self, key: str) -> Texts | None:
        """What people read for a code, from a posting or from the taxonomy; None if nobody says."""
        return self.labels.get(key) or self.index.ties.label(key)

    def version(self, kind: AnchorKind, anchor: str) -> int:
        """The newest version taken in, a tombstone's included; 0 if unknown."""
        standing = self.index.standing(kind, anchor)
        if standing is not None:
            return standing.version
        return self.index.tombstone(kind, anchor) or 0

    def is_live(self, kind: AnchorKind, anchor: str) -> bool:
        """Open, or active with consent; False for what is unknown."""
        standing = self.index.standing(kind, anchor)
        return standing is not None and standing.active

    def as_of(self) -> AsOf:
        """What an answer given now has seen."""
        return AsOf.model_construct(
            postings=tuple(self.positions[AnchorKind.POSTING]),
            profiles=tuple(self.positions[AnchorKind.SEEKER]),
        )

    async def reach(self, ends: Mapping[TopicPartition, int]) -> None:
        """Wait until everything below these offsets has been taken in."""

        def reached() -> bool:
            return all(self.positions[_kind(w.topic)][w.partition] >= end for w, end in ends.items())

        if not reached():
            async with self._moved:
                await self._moved.wait_for(reached)

    def wheres(self) -> Sequence[TopicPartition]:
        """Every partition of both topics."""
        return [
            TopicPartition(TOPIC_OF[kind], number)
            for kind, positions in self.positions.items()
            for number in range(len(positions))
        ]


def _kind(topic: str) -> AnchorKind:
    return AnchorKind.POSTING if topic == POSTINGS else AnchorKind.SEEKER
