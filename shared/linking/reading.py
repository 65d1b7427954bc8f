"""What was read out of words, and how it joins what was said in codes.

Codes that the source named itself have no confidence and always win; what was read is added behind them. So the
two can be told apart again: words that did not change are not read twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from shared.contracts.common import Code

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.contracts.common import Texts

CodeT = TypeVar("CodeT", bound=Code)

Words = tuple[tuple[str, str], ...]
"""A text by language, in the order of languages."""


@dataclass(frozen=True, slots=True)
class Ad:
    """A posting's words."""

    title: Words
    description: Words
    wants_occupation: bool
    """False: the source named one itself."""


@dataclass(frozen=True, slots=True)
class Found:
    """What words name, each kind with the surest first."""

    occupations: tuple[Code, ...] = ()
    required: tuple[Code, ...] = ()
    """Skills; a seeker's own skills are all here."""
    preferred: tuple[Code, ...] = ()


def words(texts: Texts) -> Words:
    """Texts as they are read."""
    return tuple(sorted(texts.items()))


def said(codes: Iterable[CodeT]) -> tuple[CodeT, ...]:
    """Those that the source named itself."""
    return tuple(code for code in codes if code.confidence is None)


def read(codes: Iterable[CodeT]) -> tuple[CodeT, ...]:
    """Those that were read out of its words."""
    return tuple(code for code in codes if code.confidence is not None)


def joined(codes: Iterable[CodeT], read: Iterable[CodeT], most: int, named: Iterable[str] = ()) -> tuple[CodeT, ...]:
    """What was said, then what was read and neither is said nor `named` (keys), `most` in all."""
    found = list(codes)
    known = {code.key for code in found} | set(named)
    for code in read:
        if len(found) >= most:
            break
        if code.key not in known:
            known.add(code.key)
            found.append(code)
    return tuple(found)
