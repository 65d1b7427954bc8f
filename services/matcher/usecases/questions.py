"""Answers for people who ask: a list as of now, and why a pair does or does not suit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from services.matcher.domain.answers import Judgement
from services.matcher.domain.changes import Change, nearest
from services.matcher.domain.reasons import Outlook, outlook
from services.matcher.usecases.matching import Matching
from services.matcher.usecases.waiting import Cause
from services.matcher.usecases.world import World
from shared.auth import Principal
from shared.contracts.lists import contract_of
from shared.contracts.recommendations import AnchorKind, AsOf, RecommendationsRefreshed
from shared.http import not_found


@dataclass(frozen=True, slots=True)
class Questions:
    """Reads the index under its lock."""

    world: World
    matching: Matching

    async def current(self, caller: Principal, kind: AnchorKind, anchor: str) -> RecommendationsRefreshed:
        """The anchor's list as of now. Raises Problem 404 for what is unknown or not the caller's."""
        async with self.world.lock:
            if not self._theirs(caller, kind, anchor):
                raise not_found()
            body = self.matching.current(kind, anchor, Cause(0, datetime.now(UTC)), self.world.as_of(), revision=1)
        if body is None:
            raise not_found()
        return contract_of(body)

    async def judge(self, caller: Principal, posting: str, seeker: str) -> tuple[Judgement, tuple[Change, ...]]:
        """All about one pair and what would open its gates, for those who may see both. Else raises Problem 404."""
        async with self.world.lock:
            judgement = self.world.index.judge(posting, seeker, datetime.now(UTC))
            if judgement is None or not self._both(caller, posting, seeker, judgement):
                raise not_found()
            return judgement, nearest(self.world.index, posting, seeker, judgement.failed)

    async def outlook(self, caller: Principal, kind: AnchorKind, anchor: str) -> tuple[Outlook, AsOf, str]:
        """What would bring an anchor more counterparts, and the policy's version. Raises Problem 404 as `current`."""
        async with self.world.lock:
            index = self.world.index
            found = None
            if self._theirs(caller, kind, anchor):
                found = await asyncio.to_thread(outlook, index, kind, anchor, datetime.now(UTC))
            if found is None:
                raise not_found()
            return found, self.world.as_of(), index.policy.version

    def _theirs(self, caller: Principal, kind: AnchorKind, anchor: str) -> bool:
        standing = self.world.index.standing(kind, anchor)
        if standing is None:
            return False
        if caller.role == "operator":
            return True
        if kind is AnchorKind.POSTING:
            return caller.role == "employer" and caller.employer in standing.sharers
        return (caller.role == "seeker" and caller.sub == anchor) or (
            caller.role == "matchmaker" and caller.sub in standing.sharers
        )

    def _both(self, caller: Principal, posting: str, seeker: str, judgement: Judgement) -> bool:
        """Seekers and their matchmakers may see every open posting; employers only whom they could be shown."""
        if caller.role == "employer":
            return self._theirs(caller, AnchorKind.POSTING, posting) and judgement.recommendable
        if not self._theirs(caller, AnchorKind.SEEKER, seeker):
            return False
        standing = self.world.index.standing(AnchorKind.POSTING, posting)
        return caller.role == "operator" or (standing is not None and standing.active)
