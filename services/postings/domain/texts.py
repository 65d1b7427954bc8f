"""Texts as people may read them: no HTML, no control characters.

Tags and the contents of scripts go by nh3 (ammonia, an HTML5 parser), not by patterns of ours; what looks like no
tag, as in `a < b`, stays as it is written.
"""

from __future__ import annotations

import html
import re
from typing import Final

import nh3

MAX_TEXT: Final = 20_000
"""Most characters of one text (`shared.contracts.common.Texts`)."""

_TAG: Final = re.compile(r"<(?:/?[A-Za-z]|!--|[!?])[^<>]{0,2000}>")
_NO_TAG: Final = re.compile(r"<(?!(?:/?[A-Za-z]|!--|[!?])[^<>]{0,2000}>)")
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
"""Only with its semicolon: `?a=1&copy=2` is an address."""
_NO_ENTITY: Final = re.compile(rf"&(?!{_ENTITY.pattern[1:]})")
_BREAK: Final = re.compile(r"<(?:br|hr|/?p|/li|/h\d|/div|/t[drh]|/d[dt]|/ul|/ol)\b[^<>]{0,200}>", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
"""C0 and C1 but tab and line feeds, and the characters that turn the direction of what follows them."""
_EMPTY_LINES: Final = re.compile(r"\n[ \t\u00a0]*(?:\n[ \t\u00a0]*)+")
_PASSES: Final = 3
"""Feeds escape their HTML once, or twice."""


def plain(text: str) -> str:
    """The text without HTML and control characters; paragraphs and list items become lines."""
    if "<" not in text and "&" not in text:
        return printable(text)
    for _ in range(_PASSES):
        if _TAG.search(text):
            text = _untagged(text)
        elif _ENTITY.search(text):
            text = _unescaped(text)
        else:
            return printable(text)
    return printable(_TAG.sub(" ", text))


def has_control(text: str) -> bool:
    """True if an identifier has a control character, also a tab or line feed, and so cannot be printed as it is."""
    return _CONTROL.search(text) is not None or any(space in text for space in "\t\n\r")


def printable(text: str) -> str:
    """The text without control characters, with line feeds as its only line ends."""
    if text.isprintable():
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.replace("\n", " ").isprintable():  # Python's notion is wider, and much quicker to look for
        text = _CONTROL.sub("", text)
    return (_EMPTY_LINES.sub("\n\n", text) if "\n" in text else text).strip()


def shortened(text: str) -> str:
    """At most `MAX_TEXT` characters; what was cut ends in an ellipsis."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _untagged(text: str) -> str:
    """One pass: tags out, entities as the characters that they mean."""
    text = _NO_ENTITY.sub("&amp;", _NO_TAG.sub("&lt;", _BREAK.sub("\n", text)))
    return _unescaped(nh3.clean(text, tags=set(), attributes={}))


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda entity: html.unescape(entity.group()), text)
