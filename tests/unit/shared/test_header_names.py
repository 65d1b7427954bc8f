"""A header name that is not UTF-8 does not make a batch unreadable."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from shared.header_names import _Records

PLAIN, ZSTD = 0, 4
CRC_AT, AFTER_CRC = 17, 21


def batch(*names: str, compression: int = PLAIN, spoil: Callable[[bytes], bytes] = bytes) -> bytes:
    """A batch with a record for each name of a header, as it is fetched."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=10_000,
    )
    for offset, name in enumerate(names):
        builder.append(offset, timestamp=1, key=b"k", value=b"\xff", headers=[(name, b"\xfe"), ("null", None)])
    raw = bytearray(spoil(bytes(builder.build())))
    struct.pack_into(">I", raw, CRC_AT, calc_crc32c(bytes(raw[AFTER_CRC:])))
    return bytes(raw)


def read(raw: bytes) -> list[Any]:
    records, found = _Records(raw), []
    while records.has_next():
        one = records.next_batch()
        assert one is not None
        assert one.validate_crc()
        found += list(one)
    return found


def spoilt(raw: bytes) -> bytes:
    return raw.replace(b"??", b"\xff\xfe")


@pytest.mark.parametrize("compression", [PLAIN, ZSTD])
def test_good_batches_are_read_as_ever(compression: int) -> None:
    found = read(batch("one", "二", compression=compression))
    assert [record.headers for record in found] == [
        [("one", b"\xfe"), ("null", None)],
        [("二", b"\xfe"), ("null", None)],
    ]


def test_a_bad_name_is_escaped_and_the_rest_is_kept() -> None:
    found = read(batch("before") + batch("one", "a??b", "three", spoil=spoilt) + batch("after"))
    assert [record.headers[0][0] for record in found] == ["before", "one", "a\\xff\\xfeb", "three", "after"]
    assert {(record.key, record.value, record.headers[0][1]) for record in found} == {(b"k", b"\xff", b"\xfe")}
    assert [type(record.value) for record in found] == [bytes] * 5
