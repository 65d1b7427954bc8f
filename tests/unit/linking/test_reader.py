"""Each text is read once, off the event loop, in batches."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from shared.contracts.common import Code
from shared.errors import Unavailable
from shared.linking.reader import Reader
from shared.linking.reading import Ad, Found

if TYPE_CHECKING:
    from collections.abc import Sequence


class Counting:
    """Finds each text as a skill, and keeps what it was asked."""

    version = "counting/1"

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.threads: set[int] = set()
        self.at_once = 0
        self.most_at_once = 0

    def ads(self, ads: Sequence[Ad]) -> list[Found]:
        return self.seekers([ad.title[0][1] for ad in ads])

    def seekers(self, texts: Sequence[str]) -> list[Found]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.asked.append(list(texts))
        self.threads.add(threading.get_ident())
        self.at_once -= 1
        return [Found(required=(Code(scheme="x", code=text),)) for text in texts]


def codes(found: Sequence[Found]) -> list[str]:
    return [skill.code for one in found for skill in one.required]


async def started(linker: Counting, remembered: int = 10) -> Reader:
    reader = Reader(lambda: linker, remembered)
    await reader.start()
    return reader


async def test_answers_come_in_the_order_of_the_questions() -> None:
    reader = await started(Counting())
    assert codes(await reader.seekers(["b", "a", "b"])) == ["b", "a", "b"]
    assert codes(await reader.seekers(["a", "c"])) == ["a", "c"]


async def test_each_text_is_read_once() -> None:
    linker = Counting()
    reader = await started(linker)
    for texts in (["a", "b", "a"], ["b", "c"], ["a", "c"]):
        await reader.seekers(texts)
    assert linker.asked == [["a", "b"], ["c"]]
    assert threading.get_ident() not in linker.threads


async def test_only_the_last_texts_are_remembered() -> None:
    linker = Counting()
    reader = await started(linker, remembered=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        await reader.seekers([text])
    assert [text for (text,) in linker.asked] == ["a", "b", "c", "b"], "what was asked last stays longest"


async def test_one_batch_at_a_time() -> None:
    linker = Counting()
    reader = await started(linker)
    await asyncio.gather(*(reader.seekers([str(n)]) for n in range(20)))
    assert linker.most_at_once == 1


async def test_whether_an_occupation_is_wanted_is_part_of_the_question() -> None:
    linker = Counting()
    reader = await started(linker)
    ads = [Ad((("en", "Welder"),), (), wants_occupation=wants) for wants in (True, False)]
    await reader.ads(ads)
    assert linker.asked == [["Welder", "Welder"]]


async def test_nothing_is_read_before_the_start() -> None:
    with pytest.raises(Unavailable):
        await Reader(Counting).seekers(["a"])
