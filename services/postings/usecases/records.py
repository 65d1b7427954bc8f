"""Partners' records that come over HTTP: written to the partner's own topic, and from there on as by Kafka.

The one place where something is published that no outbox holds: a record is the partner's, not an event of ours. It
is answered once Kafka has it; until then its sender has it.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from pydantic_core import from_json

from services.postings.domain.faults import undecoded
from services.postings.domain.forms import form_of, is_structured, posting_id
from services.postings.domain.lines import LineCutter
from services.postings.usecases.context import must_be_own
from services.postings.usecases.partners import writing
from shared.broker import Outgoing
from shared.contracts.envelope import STRUCTURED, event_headers
from shared.contracts.registry import PARTNER_POSTINGS
from shared.errors import Rejected, Unavailable
from shared.http import RETRY_AFTER_S, Problem
from shared.mongo import DuplicateKey
from shared.telemetry import current_traceparent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from datetime import datetime

    from services.postings.domain.lines import Line
    from services.postings.usecases.context import Context
    from shared.auth import Principal
    from shared.contracts.partners import Fault
    from shared.mongo import Document

Body = dict[str, object] | list[object]

MAX_RECORD: Final = 1024 * 1024
"""Bytes of one record over HTTP."""
PARTITION: Final = 0
"""A partner's topic has one, so that its records keep their order."""
CHUNK_RECORDS: Final = 200
CHUNK_BYTES: Final = 1024 * 1024
"""So many are written together."""
_UNWRITTEN: Final[dict[int, Rejected]] = {
    -1: Rejected("this record is larger than 1 MiB", code="line_too_large"),
    -2: Rejected("the line is no JSON object that can be read", code="line_not_json"),
}
"""What a line cannot be written for, by the number that stands in the place of its offset."""
_TOO_LARGE, _NOT_JSON = -1, -2
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Upload:
    """What an upload has come to: eight and four bytes a line."""

    partner: str
    key: str | None
    """The sender's name for it, under which it is remembered."""
    begun_at: datetime
    last: int = 0
    """The last line that is dealt with, blank or not."""
    repeated: int = 0
    """Of the results, those that were there before this request."""
    digest: bytes = b""
    """Of all lines so far."""
    numbers: array[int] = field(default_factory=lambda: array("I"))
    """Of the lines that are not blank."""
    results: array[int] = field(default_factory=lambda: array("q"))
    """Each one's offset in the partner's topic, or why it could not be written."""

    @property
    def topic(self) -> str:
        """Where its records are."""
        return PARTNER_POSTINGS.format(partner=self.partner)

    @property
    def written(self) -> int:
        """How many lines are records in the topic."""
        return sum(result >= 0 for result in self.results)

    @property
    def first_offset(self) -> int | None:
        """The least one of its records."""
        return min((result for result in self.results if result >= 0), default=None)

    def answers(self) -> Iterator[tuple[int, str | Fault]]:
        """Each line's number with its record's id, or why it could not be written."""
        faults = {number: undecoded(reason) for number, reason in _UNWRITTEN.items()}
        for line, result in zip(self.numbers, self.results, strict=True):
            yield line, f"{self.topic}/{PARTITION}/{result}" if result >= 0 else faults[result]


@dataclass(slots=True)
class _Chunk:
    """Lines that are written together."""

    numbers: array[int] = field(default_factory=lambda: array("I"))
    results: array[int] = field(default_factory=lambda: array("q"))
    """Of those that are written, 0 until it is known."""
    records: list[Outgoing] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        return len(self.numbers) >= CHUNK_RECORDS or self.size >= CHUNK_BYTES


async def begin(context: Context, caller: Principal, partner: str, key: str | None) -> Upload:
    """The upload as far as it has come, under that key; without one, or the first time, a new one.

    For the partner itself and for operators. Raises Problem 404, or 403 for a partner that may not write.
    """
    must_be_own(caller, partner)
    await writing(context, partner)
    upload = Upload(partner, key, context.now())
    for chunk in await context.store.upload_chunks(partner, key) if key else ():
        upload.begun_at, upload.last, upload.digest = chunk["begun_at"], chunk["last"], chunk["digest"]
        upload.numbers.frombytes(chunk["numbers"])
        upload.results.frombytes(chunk["results"])
    upload.repeated = len(upload.results)
    return upload


async def take(
    context: Context, upload: Upload, pieces: AsyncIterator[bytes], *, offset: int | None, most_lines: int
) -> None:
    """Write each line of a body as a record of the partner's, in their order.

    `offset`: the body begins behind so many lines of the upload; None: with the first, and those that are there
    already are passed over. Raises Problem: 409 for another offset than that of `upload`, or if somebody else sends
    the same upload now; 422 if the lines are not those that were there; 403 once the partner is paused;
    413 for too many; 503 while Kafka is away.
    Whatever it raises, `upload` is what was written until then, and, under a key, remembered.
    """
    behind = 0 if offset is None else offset
    try:
        if offset is not None and offset != upload.last:
            raise _conflict(upload.last)
        await _Taking(context, upload, most_lines).all(pieces, behind)
    except Problem as problem:
        problem.headers.setdefault("Upload-Offset", str(upload.last))
        raise


class _Taking:
    """One body on its way into the topic."""

    def __init__(self, context: Context, upload: Upload, most_lines: int) -> None:
        self._context = context
        self._upload = upload
        self._most = most_lines
        self._chunk = _Chunk()
        self._passed, self._known = upload.last, upload.digest
        """Lines up to this one are there, and this is their digest."""
        self._digest = b""
        """Of the lines so far."""
        self._traceparent = current_traceparent()

    async def all(self, pieces: AsyncIterator[bytes], behind: int) -> None:
        cutter = LineCutter(MAX_RECORD, behind + 1)
        self._digest = self._known if behind else b""
        async for piece in pieces:
            for line in cutter.cut(piece):
                await self._line(line)
            if cutter.number > self._most:
                raise Problem(
                    413,
                    "too_many_lines",
                    f"An upload has at most {self._most:,} lines: send the rest as another one.",
                    f"每次上传最多 {self._most:,} 行，其余请另行上传。",
                )
        for line in cutter.rest():
            await self._line(line)
        if cutter.number <= self._passed:  # it ended before it came to where it was
            raise _other_lines()
        self._check()
        await self._write()

    async def _line(self, line: Line) -> None:
        if line.number > self._passed:
            self._check()
            self._pack(line)
        self._digest = _chained(self._digest, line)
        if self._chunk.full:
            await self._write()

    def _check(self) -> None:
        """Before anything new is packed: what came until here is what is there."""
        if not self._chunk.numbers and self._upload.last == self._passed and self._digest != self._known:
            raise _other_lines()

    def _pack(self, line: Line) -> None:
        result = 0
        record = None if line.value is None else self._record(line.value)
        if line.value is None:
            result = _TOO_LARGE
        elif record is None:
            result = _NOT_JSON
        else:
            self._chunk.records.append(record)
            self._chunk.size += len(line.value)
        self._chunk.numbers.append(line.number)
        self._chunk.results.append(result)

    def _record(self, value: bytes) -> Outgoing | None:
        """None: it is no JSON that could be a record."""
        body = record_in(value)
        return None if body is None else outgoing(self._upload.partner, value, body, self._traceparent)

    async def _write(self) -> None:
        """Write what is packed, and remember it."""
        chunk, self._chunk = self._chunk, _Chunk()
        if not chunk.numbers:
            return
        await writing(self._context, self._upload.partner)  # as by Kafka: a pause is felt on an open connection
        try:
            offsets = iter(await self._context.write(chunk.records) if chunk.records else [])
        except Unavailable as error:
            raise _away(self._upload) from error
        for place, result in enumerate(chunk.results):
            if result == 0:
                chunk.results[place] = next(offsets)
        if any(offset not in _UNWRITTEN and offset < 0 for offset in chunk.results):
            raise _away(self._upload)
        upload, last = self._upload, chunk.numbers[-1]
        if upload.key is not None:
            await self._remember(chunk, last)
        upload.last, upload.digest = last, self._digest
        upload.numbers += chunk.numbers
        upload.results += chunk.results

    async def _remember(self, chunk: _Chunk, last: int) -> None:
        row: Document = {
            "partner": self._upload.partner,
            "key": self._upload.key,
            "behind": self._upload.last,
            "last": last,
            "digest": self._digest,
            "numbers": chunk.numbers.tobytes(),
            "results": chunk.results.tobytes(),
            "begun_at": self._upload.begun_at,
        }
        try:
            await self._context.store.add_upload_chunk(row)
        except DuplicateKey as error:
            raise _conflict(self._upload.last) from error


def record_in(value: bytes) -> Body | None:
    """What a line says; None: it is no JSON that could be a record."""
    try:
        body: object = from_json(value.strip().removeprefix(_BOM))
    except ValueError:
        return None
    return body if isinstance(body, dict | list) else None


def outgoing(partner: str, value: bytes, body: Body, traceparent: str | None) -> Outgoing:
    """The record as it is sent by Kafka: its form is told by its fields. `body` is what `value` says."""
    topic, value = PARTNER_POSTINGS.format(partner=partner), value.strip().removeprefix(_BOM)
    named = posting_id(body["data"] if isinstance(body, dict) and is_structured(body) else body)
    key = None if named is None else named.encode()
    if is_structured(body):
        return Outgoing(topic, key, value, {"content-type": STRUCTURED}, PARTITION)
    form = form_of(body)
    headers = event_headers(
        source=f"urn:partner:{partner}",
        event_type=form.event_of(body) if isinstance(body, dict) else form.events[0].__name__,
        subject=named or "",
        topic_family=PARTNER_POSTINGS,
        traceparent=traceparent,
    )
    return Outgoing(topic, key, value, headers, PARTITION)


def _chained(digest: bytes, line: Line) -> bytes:
    return blake2b(line.value.strip() if line.value else b"\0", key=digest, digest_size=16).digest()


def _conflict(last: int) -> Problem:
    return Problem(
        409,
        "upload_is_elsewhere",
        f"This upload has come to line {last}: go on behind it, unless another request is sending it now.",
        f"该上传已到第 {last} 行；如没有其他请求正在发送，请从其后继续。",
    )


def _other_lines() -> Problem:
    return Problem(
        422,
        "idempotency_key_reused",
        "This key came with other lines before: send another key with these.",
        "该幂等键此前用于其他内容，请换一个键。",
    )


def _away(upload: Upload) -> Problem:
    """Kafka did not take a chunk, or not surely: nothing is said of it."""
    return Problem(
        503,
        "unavailable",
        f"Something that this needs is away. The lines up to {upload.last} are written; send the same again.",
        f"所需的服务暂不可用。第 {upload.last} 行及之前已写入，请稍后重发同样的内容。",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )
