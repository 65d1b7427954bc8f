"""What is computed next, for ever: who asked, then what must be taken back, then what an older policy said."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Final

import structlog

from services.matcher.settings import MatcherSettings
from services.matcher.usecases.lists import Lists
from services.matcher.usecases.matching import Asked, Causes, Matching
from shared import metrics
from shared.contracts.recommendations import AnchorKind
from shared.errors import Unavailable

log = structlog.get_logger()
TRY_AGAIN_S: Final = 1.0
GATHER_S: Final = 0.005
"""Events that come within so long are answered together: question, computation and writing cost each batch."""
AT_ONCE: Final = 3
"""Lists of a kind that are refreshed together. Whoever stores them takes what comes together in one go, and an
event's list that comes then waits for it: some milliseconds a list."""
LONGEST_REST_S: Final = 1.0
"""After a refresh that took long because Kafka did."""
STARVED_S: Final = 1.0
"""Without a refresh, while events leave no time: what is not to be had any more must go all the same."""
REFRESHED: Final = (AnchorKind.SEEKER, AnchorKind.POSTING)
"""In this order."""


class Answering:
    """Answers at once, and refreshes in the background.

    The order of refreshing is what an error costs people:

    1. Lists that hold somebody or something that is not to be had any more, the one that lost most first
       (`Refreshes`): an application to a closed posting, or a call to a person who has left, is in vain.
    2. Lists that name an earlier matching policy. Their entries can still be had, only others may be better.
       Seekers' before postings': a seeker looks at twenty postings, while an employer hears from seekers by
       themselves. The longest unrefreshed first, so that whoever hears seldom does not wait longest.

    Events do not wait for it: before each refresh comes all that was asked for (but for one a second, where that
    never ends), a refresh is of few lists and holds the index for `refresh_s` at most, and no more than
    `refresh_per_s` lists a second go out, because whoever stores them has the answers to events behind them on the
    same topic. Of the time it takes `refresh_share` at most: where processors or Kafka are busy a refresh takes
    longer, and so there are fewer.
    """

    def __init__(
        self, lists: Mapping[AnchorKind, Lists], matching: Matching, woken: asyncio.Event, settings: MatcherSettings
    ) -> None:
        self._lists = lists
        self._matching = matching
        self._woken = woken
        self._settings = settings
        self._late: list[Asked] = []
        """Were chosen to be refreshed, and time was up, or Kafka away."""
        self._next_refresh = 0.0
        self._refreshed = 0.0
        """When there was time for a refresh last."""

    async def run(self) -> None:
        """Compute what waits, for ever."""
        while True:
            await self._wait()
            asked = self._asked()
            if asked:
                await self._answer(asked)
            now = time.monotonic()
            if now >= self._next_refresh and (not asked or now >= self._refreshed + STARVED_S):
                await self._refresh()

    async def _wait(self) -> None:
        """Until somebody asks, or the next refresh is due."""
        if any(own.asked for own in self._lists.values()):
            return
        self._woken.clear()
        pause = self._next_refresh - time.monotonic() if self._report() else None
        # not wait_for: on Python 3.11 it can swallow a cancellation
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._woken.wait()
                await asyncio.sleep(GATHER_S)

    def _report(self) -> int:
        """How many lists wait to be refreshed."""
        waiting = {kind: len(own.dirty) + len(own.outdated) for kind, own in self._lists.items()}
        for kind, _, _ in self._late:
            waiting[kind] += 1
        for kind, number in waiting.items():
            metrics.REFRESH_QUEUE.labels(kind.value).set(number)
        return sum(waiting.values())

    def _asked(self) -> Causes:
        most = self._settings.answer_records
        return {kind: own.take_asked(most) for kind, own in self._lists.items() if own.asked}

    async def _answer(self, asked: Causes) -> None:
        try:
            await self._matching.answer(asked)
        except Unavailable as error:
            log.warning("answering waits", error=str(error))
            for kind, causes in asked.items():
                for anchor, cause in causes.items():
                    self._lists[kind].mark(anchor, cause)
            await asyncio.sleep(TRY_AGAIN_S)

    async def _refresh(self) -> None:
        self._refreshed = started = time.monotonic()
        chosen = self._late = self._late or self._lost() or self._outdated()
        if not chosen:
            return
        try:
            self._late = await self._matching.refresh(chosen, self._settings.refresh_s)
        except Unavailable as error:
            log.warning("refreshing waits", error=str(error))
            await asyncio.sleep(TRY_AGAIN_S)
        now, done = time.monotonic(), len(chosen) - len(self._late)
        rest = min(LONGEST_REST_S, (now - started) * (1 / self._settings.refresh_share - 1))
        self._next_refresh = max(now + rest, max(self._next_refresh, started) + done / self._settings.refresh_per_s)

    def _lost(self) -> list[Asked]:
        """Lists that hold what is not recommendable any more."""
        return [
            (kind, anchor, cause)
            for kind in REFRESHED
            for anchor, cause in self._lists[kind].dirty.take(AT_ONCE).items()
        ]

    def _outdated(self) -> list[Asked]:
        """Lists that name an earlier policy."""
        for kind in REFRESHED:
            if self._lists[kind].outdated:
                return [(kind, anchor, cause) for anchor, cause in self._lists[kind].take_outdated(AT_ONCE).items()]
        return []
