r"""Header names that are not UTF-8: aiokafka raises on them, and FastStream then consumes nothing any more.

Kafka's protocol says that they are text, but brokers take any bytes, and clients in C write any: one record of
one partner would stop the intake of all. So a batch that cannot be decoded is decoded again by aiokafka's own
slower reader, with what is not UTF-8 in a name escaped (`\xff`). Checked with aiokafka 0.14.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiokafka.consumer import fetcher
from aiokafka.record import default_records, memory_records

if TYPE_CHECKING:
    from collections.abc import Iterator


def tolerate() -> None:
    """Let every consumer of this process read such records. Repeated calls change nothing."""
    fetcher.MemoryRecords = _Records


class _Records:
    """The batches of one partition, as they were fetched; everything but a failed decoding is aiokafka's own."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._records = memory_records.MemoryRecords(raw)
        self._taken = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - passes on what is not typed
        return getattr(self._records, name)

    def next_batch(self) -> _Batch | None:
        batch = self._records.next_batch()
        self._taken += 1
        return None if batch is None else _Batch(batch, self._raw, self._taken - 1)


class _Batch:
    """One batch; `number` is its place among those that were fetched together."""

    def __init__(self, batch: Any, raw: bytes, number: int) -> None:  # noqa: ANN401 - aiokafka's own
        self._batch = batch
        self._raw = raw
        self._number = number

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - passes on what is not typed
        return getattr(self._batch, name)

    def __next__(self) -> object:
        return next(self._batch)

    def __iter__(self) -> Iterator[object]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            records = memory_records._MemoryRecordsPy(self._raw)  # noqa: SLF001 - the Cython one hides its bytes
            for _ in range(self._number):
                records.next_batch()
            return iter(list(_TolerantBatch(records._next_slice)))  # noqa: SLF001


class _TolerantBatch(default_records._DefaultRecordBatchPy):  # type: ignore[misc]  # noqa: SLF001 - not typed
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Buffer(self._buffer)  # type: ignore[has-type]


class _Buffer(bytearray):
    """Bytes whose slices can always be decoded. aiokafka decodes nothing but header names."""

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 - as bytearray's own
        found = super().__getitem__(place)
        return _Text(found) if isinstance(place, slice) else found


class _Text(bytearray):
    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)
