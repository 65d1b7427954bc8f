"""Fetching what others publish, from addresses that they name: never from a place that only we can reach.

A name is resolved once, every address that it has is checked, and the connection goes to one that was checked: who
changes the name's address in between (DNS rebinding) reaches nothing. Each redirect is a new address, and checked as
such. Bodies come in pieces and within stated limits, also unpacked.

Special-purpose addresses: IANA's registries, as `ipaddress` has them, and those below.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import zlib
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import SplitResult, urljoin, urlsplit

import httpcore2
from typing_extensions import override

from shared.bodies import Gunzip

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Collection,
        Iterable,
        Mapping,
        Sequence,
    )

    from httpcore2 import SOCKET_OPTION, AsyncNetworkStream

    Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

Trouble = Literal[
    "address_refused",
    "unreachable",
    "timed_out",
    "broke_off",
    "too_many_redirects",
    "too_large",
    "unsupported_encoding",
    "invalid_gzip",
]
MOST_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_NAT64: Final = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_SPECIAL: Final = tuple(
    ip_network(one)
    for one in (
        "192.0.0.0/24",  # protocol assignments; a cloud's metadata at .192
        "168.63.129.16/32",  # public by its number, and yet a cloud's own (Azure's WireServer)
        "::/96",  # IPv4-compatible, given up
        "64:ff9b:1::/48",  # local NAT64
        "2001::/23",  # protocol assignments, Teredo
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fec0::/10",  # site-local, given up
    )
)
"""What `ipaddress` calls global in some versions of Python, and is not."""


class FetchError(Exception):
    """Nothing came, or not all of it."""

    def __init__(self, code: Trouble, message: str) -> None:
        super().__init__(message)
        self.code: Trouble = code


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """In bytes and seconds."""

    sent: int
    """Of a body as it comes."""
    unpacked: int
    """Of what is in it."""
    connect_s: float = 10.0
    silent_s: float = 30.0
    """The longest that nothing comes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, and its body."""

    status: int
    headers: Mapping[str, str]
    """By name in small letters."""
    pieces: AsyncIterator[bytes]
    """The body, unpacked. Raises FetchError where it breaks off or is more than it may be."""


def is_public(address: str) -> bool:
    """True for an address that anybody on the internet could reach, whatever notation hides it."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        ip = _within(ip)
    return ip.is_global and not ip.is_multicast and not any(ip in one for one in _SPECIAL)


def _within(ip: IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address leads to, where it does."""
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _SIX_TO_FOUR:
        return IPv4Address(int(ip) >> 80 & 0xFFFFFFFF)
    return ip


def check_url(url: str, private_hosts: Collection[str]) -> SplitResult:
    """The address in its parts. Raises FetchError for one that is refused by how it is written.

    https without user and password; http only for `private_hosts`. An address of numbers must be public.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise _refused(f"this is no web address: {error}") from error
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or not host:
        raise _refused("this is no web address")
    if parts.username is not None or parts.password is not None:
        raise _refused("an address holds no user or password")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in private_hosts):
        raise _refused("only https is fetched")
    if host not in private_hosts and _is_number(host) and not is_public(host):
        raise _refused(f"{host} is not on the public internet")
    return parts


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _refused(message: str) -> FetchError:
    return FetchError("address_refused", message)


class Fetcher:
    """Fetches by GET; keeps no connection and no state from one fetch to the next."""

    def __init__(
        self, limits: FetchLimits, private_hosts: Collection[str] = (), *, resolve: Resolve | None = None
    ) -> None:
        """`private_hosts`: names that may lead to private addresses, and be fetched by http."""
        self._limits = limits
        self._private = frozenset(private_hosts)
        self._backend = _Checked(self._private, resolve or _resolve, limits.connect_s)
        self._ssl = ssl.create_default_context()

    def check(self, url: str) -> None:
        """Raises FetchError for an address that is refused by how it is written."""
        check_url(url, self._private)

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[Answer]:
        """The answer to a request, after at most 3 redirects. Raises FetchError."""
        limits = self._limits
        silent = {"connect": limits.connect_s, "read": limits.silent_s, "write": limits.silent_s}
        asked: list[tuple[bytes | str, bytes | str]] = [
            ("accept-encoding", "gzip"),
            *((name, value.encode("latin-1")) for name, value in headers.items()),
        ]
        for _ in range(MOST_REDIRECTS + 1):
            parts = check_url(url, self._private)
            target = parts._replace(fragment="").geturl()
            pool = httpcore2.AsyncConnectionPool(self._ssl, max_keepalive_connections=0, network_backend=self._backend)
            async with pool:
                with _troubles():
                    async with pool.stream("GET", target, headers=asked, extensions={"timeout": silent}) as response:
                        head = _head(response)
                        if response.status not in _REDIRECTS or "location" not in head:
                            async with aclosing(self._pieces(response, head)) as body:
                                yield Answer(response.status, head, body)
                            return
            try:
                url = urljoin(url, head["location"])
            except ValueError as error:
                raise _refused(f"redirected to what is no web address: {error}") from error
        raise FetchError("too_many_redirects", f"more than {MOST_REDIRECTS} redirects")

    async def _pieces(self, response: httpcore2.Response, head: Mapping[str, str]) -> AsyncGenerator[bytes]:
        coding = head.get("content-encoding", "identity").strip().lower()
        if coding not in {"identity", "gzip", "x-gzip"}:
            raise FetchError("unsupported_encoding", f"content-encoding {coding}")
        unpacker = Gunzip() if coding.endswith("gzip") else None
        sent = unpacked = 0
        with _troubles():
            async for part in response.aiter_stream():
                sent += len(part)
                for piece in unpacker.unpack(part) if unpacker else (part,):
                    unpacked += len(piece)
                    if sent > self._limits.sent or unpacked > self._limits.unpacked:
                        raise FetchError("too_large", f"more than {sent} bytes, {unpacked} unpacked")
                    yield piece
        if unpacker and sent and not unpacker.whole:
            raise FetchError("broke_off", "the gzip has no end")


def _head(response: httpcore2.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


class _troubles:  # noqa: N801 - reads as what it is: a block
    """What the HTTP client raises, as FetchError."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        match error:
            case httpcore2.TimeoutException():
                raise FetchError("timed_out", repr(error)) from error
            case httpcore2.ConnectError() | httpcore2.UnsupportedProtocol():
                raise FetchError("unreachable", repr(error)) from error
            case httpcore2.NetworkError() | httpcore2.ProtocolError():
                raise FetchError("broke_off", repr(error)) from error
            case zlib.error():
                raise FetchError("invalid_gzip", repr(error)) from error


class _Checked(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were checked, and to no other; TLS still asks for the name's certificate."""

    def __init__(self, private_hosts: frozenset[str], resolve: Resolve, patience_s: float) -> None:
        self._private = private_hosts
        self._resolve = resolve
        self._patience_s = patience_s
        self._inner = httpcore2.AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        try:
            async with asyncio.timeout(self._patience_s):
                addresses = await self._resolve(host, port)
        except TimeoutError as error:
            raise FetchError("timed_out", f"{host} is not resolved in time") from error
        except (OSError, UnicodeError) as error:
            raise FetchError("unreachable", f"{host}: {error}") from error
        if host not in self._private:
            for address in addresses:
                if not is_public(address):
                    raise _refused(f"{host} leads to {address}, which is not on the public internet")
        trouble: Exception | None = None
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                trouble = error
        raise FetchError("unreachable", f"{host}: {trouble!r}") from trouble

    @override
    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


async def _resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
