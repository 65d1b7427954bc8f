"""Large request bodies as they come, unpacked: piece by piece, in constant memory, within stated limits."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect

from shared.http import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from fastapi import Request

PIECE: Final = 1 << 16
"""Most bytes that are unpacked at once: a body of zeros grows a thousandfold."""
_GZIP: Final = zlib.MAX_WBITS | 16


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """In bytes."""

    sent: int
    """Of the body as it is sent."""
    unpacked: int
    """Of what is in it."""


async def pieces(request: Request, limits: BodyLimits) -> AsyncIterator[bytes]:
    """The body in pieces, gunzipped if `Content-Encoding` says so.

    Raises Problem: 415 for another encoding, 413 beyond a limit (at once, where `Content-Length` tells it), 400 for
    a body that was cut off or is no gzip.
    """
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"identity", "gzip", "x-gzip"}:
        en, zh = "Send the body as it is, or gzipped.", "请直接发送内容，或使用 gzip 压缩。"
        raise Problem(415, "unsupported_encoding", en, zh, headers={"Accept-Encoding": "gzip, identity"})
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limits.sent:
        raise _too_large(limits)
    unpacker = Gunzip() if coding.endswith("gzip") else None
    sent = unpacked = 0
    try:
        async for part in request.stream():
            sent += len(part)
            if sent > limits.sent:
                raise _too_large(limits)
            for piece in unpacker.unpack(part) if unpacker else (part,):
                unpacked += len(piece)
                if unpacked > limits.unpacked:
                    raise _too_large(limits)
                yield piece
    except ClientDisconnect:  # nobody reads the answer, but what comes behind must not take this for the end
        raise _cut_off() from None
    except zlib.error as error:
        en, zh = "The body is no gzip, or broken.", "内容不是有效的 gzip，或已损坏。"
        raise Problem(400, "invalid_gzip", en, zh) from error
    if unpacker and not unpacker.whole:
        raise _cut_off()


class Gunzip:
    """Unpacks one or several gzip members, one behind the other."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self.whole = False
        """True if the last member has ended."""

    def unpack(self, part: bytes) -> Iterator[bytes]:
        """What is in this part, in pieces of at most `PIECE` bytes. Raises zlib.error."""
        while part:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            piece = self._member.decompress(part, PIECE)
            self.whole = self._member.eof
            part = self._member.unused_data if self.whole else self._member.unconsumed_tail
            yield piece


def _too_large(limits: BodyLimits) -> Problem:
    sent, unpacked = limits.sent >> 20, limits.unpacked >> 20
    return Problem(
        413,
        "body_too_large",
        f"A body has at most {sent} MiB, and {unpacked} MiB unpacked: send the rest by itself.",
        f"内容最大 {sent} MiB，解压后最大 {unpacked} MiB，请分批发送。",
    )


def _cut_off() -> Problem:
    return Problem(400, "cut_off", "The body was cut off: send it again.", "内容不完整，请重新发送。")
