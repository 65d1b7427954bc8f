"""What can be said of a title by its words alone: the same label, a label in it, how many characters it shares."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import log
from typing import Final
from zlib import crc32

import numpy as np

from shared.linking.meaning import Vectors, language

COLUMNS: Final = 1 << 13
"""Character n-grams are counted in so many columns; a few share one."""
_CHUNK: Final = 1024
_LONGEST: Final = 12
"""Words of an English, characters of a Chinese label that are looked for inside a title."""

_BRACKETS: Final = re.compile(r"[（(\[【{][^）)\]】}]*[）)\]】}]")
_PAY_AND_SHIFTS: Final = re.compile(
    r"(月薪|年薪|时薪|底薪|工资|薪资|日结|月入)?\s*\d[\d.,]*\s*(?:[-~～—至到]\s*\d[\d.,]*)?\s*(?:元|块|万|千|k|K|%|/\S+)*(?:起|以上|左右)?"
)
_CALLS: Final = re.compile(
    r"急招|急聘|诚聘|招聘|招工|直招|高薪|长期|包吃住|包食宿|包吃|包住|五险一金|双休|两班倒|三班倒"
)
_SIGNS: Final = re.compile(r"[^\w+#]+")


def plain(text: str) -> str:
    """One width, small letters, one space between words, no signs but + and #: for comparing."""
    return _SIGNS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def bare(title: str) -> str:
    """The title without what ads put around it: brackets, pay, shifts, calls. Itself if nothing were left."""
    text = unicodedata.normalize("NFKC", title)
    text = _BRACKETS.sub(" ", text)
    if language(text) == "zh":
        text = _CALLS.sub(" ", _PAY_AND_SHIFTS.sub(" ", text))
    text = " ".join(text.split())
    return text or title


class Labels:
    """Which concepts bear a label, for looking up a title and the parts of it."""

    def __init__(self, named: Mapping[str, Sequence[str]]) -> None:
        """`named`: texts of labels to the concepts that bear them."""
        found: dict[str, set[str]] = {}
        for text, keys in named.items():
            found.setdefault(plain(text), set()).update(keys)
        self._keys = {text: tuple(sorted(keys)) for text, keys in found.items() if text}

    def same(self, title: str) -> tuple[str, ...]:
        """The concepts with this label, whatever its case, width and signs."""
        return self._keys.get(plain(title), ())

    def inside(self, title: str) -> Iterator[tuple[float, tuple[str, ...]]]:
        """Labels that stand in the title as whole words (in Chinese: as characters), with their share of it.

        A label within a longer one that was found is left out: 焊工 of 电焊工 says nothing more.
        """
        text = plain(title)
        words = list(text.replace(" ", "")) if language(text) == "zh" else text.split()
        joint = "" if language(text) == "zh" else " "
        taken = [False] * len(words)
        shortest = 2 if not joint else 1
        for length in range(min(_LONGEST, len(words)), shortest - 1, -1):
            for start in range(len(words) - length + 1):
                if not all(taken[start : start + length]):
                    keys = self._keys.get(joint.join(words[start : start + length]))
                    if keys and not any(taken[start : start + length]):
                        taken[start : start + length] = [True] * length
                        yield length / len(words), keys


class Characters:
    """Closeness by TF-IDF over characters.

    n-grams of 1 to 3 in Chinese, of 2 to 4 in other scripts, within words and their edges; a count goes in by
    1 + log, rarity is that among `known` texts.
    """

    def __init__(self, known: Sequence[str]) -> None:
        seen = np.zeros(COLUMNS, np.int64)
        for text in known:
            seen[list({_column(gram) for gram in _grams(plain(text))})] += 1
        self._rarity = (np.log((1 + len(known)) / (1 + seen)) + 1).astype(np.float32)

    def closeness(self, queries: Sequence[str], corpus: Sequence[str]) -> Vectors:
        """(queries, corpus): cosines from 0 to 1."""
        asked = self._vectors(queries)
        parts = [asked @ self._vectors(corpus[at : at + _CHUNK]).T for at in range(0, len(corpus), _CHUNK)]
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(queries), 0), np.float32)

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), COLUMNS), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for column, count in Counter(_column(gram) for gram in _grams(plain(text))).items():
                row[column] = (1 + log(count)) * self._rarity[column]
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return rows


def _column(gram: str) -> int:
    return crc32(gram.encode()) % COLUMNS


def _grams(text: str) -> Iterator[str]:
    shortest, longest = (1, 3) if language(text) == "zh" else (2, 4)
    for word in text.split():
        edged = f" {word} "
        for size in range(shortest, longest + 1):
            yield from (edged[start : start + size] for start in range(len(edged) - size + 1))
