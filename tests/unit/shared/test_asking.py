"""What is asked of the broker; on a real one: tests/integration/shared/test_asking.py."""

from types import SimpleNamespace
from typing import Any, cast

from aiokafka import AIOKafkaConsumer

from shared.asking import Asking
from shared.settings import ServiceSettings

SETTINGS = ServiceSettings(gather_ms=33, fetch_busy_ms=7, fetch_wait_ms=555)


class Fetcher:
    """The part of aiokafka's that `Asking` uses."""

    def __init__(self) -> None:
        self._records: dict[str, object] = {}
        self._fetch_max_wait_ms = self._fetch_min_bytes = 0

    def _get_actions_per_node(self, _: Any) -> tuple[int, bool]:  # noqa: ANN401 - aiokafka's own
        return self._fetch_max_wait_ms, self._fetch_min_bytes > 1


def assigned(partitions: int, paused: int = 0) -> Any:  # noqa: ANN401 - aiokafka's own
    """An assignment of so many partitions, of which the first ones are paused."""
    return SimpleNamespace(tps=range(partitions), state_value=lambda number: SimpleNamespace(paused=number < paused))


def test_a_fetch_is_held_for_long_only_where_it_is_for_all_and_gathers_only_in_a_flood():
    fetcher, asking = Fetcher(), Asking(SETTINGS)
    consumer = cast("AIOKafkaConsumer", SimpleNamespace(_fetcher=fetcher))
    for _ in range(2):
        asking.attend(consumer)
    asked = fetcher._get_actions_per_node
    assert asked(assigned(2)) == (555, False)
    assert asked(assigned(2, 1)) == (7, False)
    fetcher._records["some partition"] = object()
    assert asked(assigned(1)) == (7, False)
    asking.came(50)
    assert asked(assigned(1)) == (33, True)
    fetcher._records.clear()
    assert asked(assigned(1)) == (33, True)
    asking.came(1)
    assert asked(assigned(1)) == (555, False)


def test_another_consumer_is_attended_too():
    asking, fetchers = Asking(SETTINGS), [Fetcher(), Fetcher()]
    for fetcher in fetchers:
        asking.attend(cast("AIOKafkaConsumer", SimpleNamespace(_fetcher=fetcher)))
    assert [fetcher._get_actions_per_node(assigned(1)) for fetcher in fetchers] == [(555, False)] * 2
