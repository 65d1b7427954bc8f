"""How long the broker may hold a consumer's fetch open: for long while nothing comes, hardly while much does.

aiokafka sends one fetch at a time, for the partitions of which it has no records left and that are not paused. While
that are all of them, a fetch may be held for long, because the first record that comes ends it. But what comes to a
partition that is left out waits until that fetch ends: then it has to end soon.

Whatever else is asked on the same connection waits as long: an end offset, and the first fetch after a rebalance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shared.broker import PATIENT_BYTES

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from shared.settings import ServiceSettings

_FLOOD: Final = 8
"""Records that come together: more than single events do while they are handled one by one."""


class Asking:
    """Sets each fetch of one consumer at a time."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._attended: AIOKafkaConsumer | None = None
        self._flood = False

    def attend(self, consumer: AIOKafkaConsumer) -> None:
        """From now on set this consumer's fetches; harmless for one that is attended already."""
        if consumer is self._attended:
            return
        self._attended = consumer
        fetcher = consumer._fetcher  # noqa: SLF001 - aiokafka has no other way to say it for each fetch
        build = fetcher._get_actions_per_node  # noqa: SLF001

        def actions(assignment: Any) -> Any:  # noqa: ANN401 - aiokafka's own
            paused = any(assignment.state_value(where).paused for where in assignment.tps)
            wait_ms, least = self._terms(partial=paused or bool(fetcher._records))  # noqa: SLF001
            fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes = wait_ms, least  # noqa: SLF001
            return build(assignment)

        fetcher._get_actions_per_node = actions  # noqa: SLF001

    def came(self, records: int) -> None:
        """So many records came together.

        While many do, the broker gathers them: a batch costs nearly the same whatever its size, so in a flood small
        ones would take the time of all. A single event would only wait: at 100 events/s gathering doubled its median.
        """
        self._flood = records >= _FLOOD

    def _terms(self, *, partial: bool) -> tuple[int, int]:
        """Longest wait in ms and least bytes of the next fetch; a `partial` one leaves partitions out."""
        if self._flood:
            return self._settings.gather_ms, PATIENT_BYTES
        return self._settings.fetch_busy_ms if partial else self._settings.fetch_wait_ms, 1
