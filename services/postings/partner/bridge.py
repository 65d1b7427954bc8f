"""The bridge between two deployments: reads what one has for the other, and writes it to the other's own door.

Both ends are doors for partners: the reader is a partner of the first deployment, the writer one of the second. A
record passes as it is. It counts as passed on when the second deployment has it, so nothing is lost; what is passed on
again after a crash, or by a second bridge, is known there by its sequence.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.broker import MAX_RECORD_BYTES
from shared.contracts.registry import PARTNER_EXCHANGE, PARTNER_POSTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka import ConsumerRecord

PASSES: Final = frozenset(
    {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "content-type", "traceparent"}
)
"""Headers that mean the same on both sides."""
_NEEDED: Final = ("bootstrap.servers", "ssl.ca.location", "sasl.username", "sasl.password")
_AT_ONCE: Final = 500
_POLL_MS: Final = 1_000
_FETCH_WAIT_MS: Final = 100
_PATIENCE_S: Final = 60.0
_TRY_AGAIN_S: Final = 1.0


class DoorError(ValueError):
    """A file that does not say how to come in; the message says what it lacks, zh and en."""


@dataclass(frozen=True)
class Door:
    """Where and as whom a partner comes in."""

    partner: str
    client: Mapping[str, Any]
    """aiokafka's settings."""


def door(path: Path) -> Door:
    """The door that a file of librdkafka's settings describes, `kcat.conf` for example.

    Raises OSError if it or the authority's certificate cannot be read, DoorError if it lacks something.
    """
    lines = (line.partition("=") for line in path.read_text("utf-8").splitlines() if not line.lstrip().startswith("#"))
    given = {name.strip(): value.strip() for name, _, value in lines if value.strip()}
    if lacking := [name for name in _NEEDED if name not in given]:
        message = f"缺少 / lacks {', '.join(lacking)}"
        raise DoorError(message)
    user = given["sasl.username"]
    if not (partner := user.rpartition("~")[0]):
        message = f"sasl.username={user}：应为 <编号>~<序号> / it should be <id>~<number>"
        raise DoorError(message)
    return Door(
        partner,
        {
            "bootstrap_servers": given["bootstrap.servers"].split(","),
            "security_protocol": "SASL_SSL",
            "ssl_context": ssl.create_default_context(cafile=given["ssl.ca.location"]),
            "sasl_mechanism": given.get("sasl.mechanism", "SCRAM-SHA-512"),
            "sasl_plain_username": user,
            "sasl_plain_password": given["sasl.password"],
        },
    )


async def bridge(source: Door, target: Door) -> None:
    """Pass on what `source` has for us to `target`, until cancelled or SIGTERM; what is away is waited for."""
    if task := asyncio.current_task():  # to leave the group at once: another bridge need not wait for this one
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    # the client's own words about a broker that is away: we say it once
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    while True:
        try:
            await _pass_on(source, target)
        except (KafkaError, OSError) as error:
            sys.stderr.write(f"等待重试 / waits, then tries again: {error!r}\n")
            await asyncio.sleep(_TRY_AGAIN_S)


async def _pass_on(source: Door, target: Door) -> None:
    """Until something fails. Raises KafkaError or OSError."""
    offered, topic = PARTNER_EXCHANGE.format(partner=source.partner), PARTNER_POSTINGS.format(partner=target.partner)
    consumer = AIOKafkaConsumer(
        offered,
        **source.client,
        group_id=f"partner.{source.partner}.bridge",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_RECORD_BYTES,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
    )
    producer = AIOKafkaProducer(
        **target.client, acks="all", enable_idempotence=True, max_request_size=MAX_RECORD_BYTES + 64 * 1024
    )
    try:
        await producer.start()
        await consumer.start()
        sys.stderr.write(f"已连接 / connected: {offered} -> {topic}\n")
        while True:
            batches = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_AT_ONCE)
            records = [record for batch in batches.values() for record in batch]
            if not records:
                continue
            async with asyncio.timeout(_PATIENCE_S):
                written = [await _write(producer, topic, record) for record in records if record.value is not None]
                await asyncio.gather(*written)
            await consumer.commit()
    finally:
        await asyncio.gather(consumer.stop(), _stopped(producer), return_exceptions=True)


async def _write(producer: AIOKafkaProducer, topic: str, record: ConsumerRecord[bytes, bytes]) -> asyncio.Future[Any]:
    headers = [(name, value) for name, value in record.headers if name in PASSES]
    written: asyncio.Future[Any] = await producer.send(topic, record.value, key=record.key, headers=headers)
    return written


async def _stopped(producer: AIOKafkaProducer) -> None:
    """Soon: while the broker is away, its buffered records would hold up the stop for ever."""
    stopping = asyncio.ensure_future(producer.stop())
    await asyncio.wait({stopping}, timeout=1)
    stopping.cancel()
