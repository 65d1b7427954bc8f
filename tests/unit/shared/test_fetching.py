"""What is fetched, and above all what is not: addresses that only we can reach, however they are hidden."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from shared.fetching import Fetcher, FetchError, FetchLimits, check_url, is_public

LIMITS = FetchLimits(sent=100_000, unpacked=200_000, silent_s=5)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"),  # noqa: S104
        *("169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "224.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::10.0.0.1", "2002:7f00:1::", "2002:c0a8:0101::1"),
        *("::127.0.0.1", "2001:0:0:0:0:0:0:1", "fec0::1", "64:ff9b:1::1", "", "example.org"),
    ],
)
def test_an_address_that_only_we_can_reach_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_what_anybody_can_reach_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://feeds.example.org/stream",
        "https://user:secret@feeds.example.org/",
        "https://user@feeds.example.org/",
        "https://@10.0.0.1/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]:8443/",
        "https:///nowhere",
        "https://feeds.example.org:99999/",
        "https://feeds.example.org\\@10.0.0.1/",
        "https://feeds.example.org/a b",
        "https://feeds.example.org/\r\nhost: x",
        "https://例子.example/",
        "ftp://feeds.example.org/",
        "file:///etc/passwd",
        "//feeds.example.org/",
        "https://[::1",
    ],
)
def test_an_address_is_refused_by_how_it_is_written(url: str) -> None:
    with pytest.raises(FetchError) as error:
        check_url(url, ())
    assert error.value.code == "address_refused"


class Net:
    """Names, what they lead to, and what was asked of them."""

    def __init__(self, **names: Sequence[str]) -> None:
        self.names = {name.replace("_", "."): list(addresses) for name, addresses in names.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, _: int) -> Sequence[str]:
        self.asked.append(host)
        return self.names.get(host, [host])


async def _code(net: Net, url: str, private: Sequence[str] = ()) -> str:
    try:
        async with Fetcher(LIMITS, private, resolve=net.resolve).get(url, {}) as answer:
            async for _ in answer.pieces:
                pass
    except FetchError as error:
        return error.code
    return "fetched"


@asynccontextmanager
async def serving(*answers: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server on this machine that gives these answers in turn, each to one connection."""
    heard: list[bytes] = []
    left = list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(left.pop(0))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


def response(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    net = Net(feeds_example=("8.8.8.8", "10.0.0.1"))
    assert await _code(net, "https://feeds.example/") == "address_refused"


async def test_a_name_in_numbers_of_another_notation_is_checked_as_what_it_leads_to() -> None:
    for host in ("2130706433", "0x7f.1", "127.1", "localhost"):
        with pytest.raises(FetchError) as error:
            await Fetcher(LIMITS).get(f"https://{host}/", {}).__aenter__()
        assert error.value.code == "address_refused", host


async def test_the_connection_goes_to_the_address_that_was_checked_and_a_name_is_asked_once() -> None:
    net = Net(feed=("127.0.0.1",))
    async with serving(response(200, b"[]")) as (port, heard):
        async with Fetcher(LIMITS, ["feed"], resolve=net.resolve).get(
            f"http://feed:{port}/s?date=x", {"a": "b\xe9"}
        ) as got:
            assert (got.status, b"".join([piece async for piece in got.pieces])) == (200, b"[]")
        assert heard[0].startswith(b"GET /s?date=x HTTP/1.1\r\n")
        assert f"Host: feed:{port}".encode() in heard[0]
        assert b"a: b\xe9" in heard[0]
    assert net.asked == ["feed"], "nobody can give another address between check and connection"


@pytest.mark.parametrize(
    "target",
    [
        "http://other.example/",
        "https://10.0.0.1/",
        "https://inner.example/",
        "https://u:p@public.example/",
        "http://169.254.169.254/latest/",
        "http://[::1",
    ],
)
async def test_a_redirect_is_checked_like_the_first_address(target: str) -> None:
    net = Net(feed=("127.0.0.1",), inner_example=("192.168.0.9",))
    async with serving(response(302, location=target)) as (port, _):
        assert await _code(net, f"http://feed:{port}/", ["feed"]) == "address_refused"


async def test_three_redirects_are_followed_and_a_fourth_is_not() -> None:
    net, there = Net(feed=("127.0.0.1",)), response(307, location="/next")
    async with serving(there, there, there, response(200, b"x")) as (port, heard):
        async with Fetcher(LIMITS, ["feed"], resolve=net.resolve).get(f"http://feed:{port}/", {}) as answer:
            assert answer.status == 200
        assert len(heard) == 4
    async with serving(*[there] * 4) as (port, _):
        assert await _code(net, f"http://feed:{port}/", ["feed"]) == "too_many_redirects"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (response(200, gzip.compress(b"0" * 300_000, mtime=0), content_encoding="gzip"), "too_large"),
        (response(200, b"0" * 100_001), "too_large"),
        (response(200, b"no gzip", content_encoding="gzip"), "invalid_gzip"),
        (response(200, gzip.compress(b"cut off", mtime=0)[:-4], content_encoding="gzip"), "broke_off"),
        (response(200, b"x", content_encoding="br"), "unsupported_encoding"),
        (response(200, b"whole")[:-2], "broke_off"),
        (b"nonsense\r\n\r\n", "broke_off"),
    ],
)
async def test_a_body_is_bounded_and_whole_or_it_is_an_error(answer: bytes, code: str) -> None:
    async with serving(answer) as (port, _):
        assert await _code(Net(feed=("127.0.0.1",)), f"http://feed:{port}/", ["feed"]) == code


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    async with serving() as (port, _):
        pass
    assert await _code(Net(feed=("127.0.0.1",)), f"http://feed:{port}/", ["feed"]) == "unreachable"
