"""Contact details in free text: found by careful patterns and replaced by an ellipsis.

Texts go on topics, where no personal data may be. The patterns prefer leaving a doubtful number to destroying
an opening time, a date or an amount; names of people in a text are not found.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from services.postings.domain.texts import plain, printable

REPLACEMENT: Final = "…"

_EMAIL: Final = re.compile(r"(?:mailto:)?[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}")
_IDENTITY: Final = re.compile(
    # Sweden: [YY]YYMMDD-NNNN (month 01-12, so that organisation numbers do not match); China: 18 characters.
    r"(?<![\d-])(?:(?:19|20)?\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])[-+]\d{4}"
    r"|[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx])(?![\d-])"
)
_IDENTITY_LIKE: Final = re.compile(r"\d{6}[-+]\d|\d{17}")
"""In every identity number, and quicker to look for."""
_GAP: Final = r"(?:[ \t\u00a0\u2009.-]|[ \u00a0][-\u2013][ \u00a0]|[\u2010-\u2013/])?"
_PHONE: Final = re.compile(
    # +46 (0)70-123 45 67, 0046 8 12 34 56, 040-300 352, 023-6789 1234, 138 0013 8000
    r"(?<![0-9A-Za-z.,:+/-])(?<!\d[ \u00a0])(?:\+[1-9]|0\d|\(0\d{1,3}\)|1[3-9]\d)"
    rf"(?:{_GAP}[()]?\d\)?){{5,13}}(?![0-9A-Za-z:])"
)
_NO_PHONE: Final = re.compile(
    r"(?:[01]?\d|2[0-4])[.]?[0-5]\d\s?[-\u2013]\s?(?:[01]?\d|2[0-4])[.]?[0-5]\d"  # opening times
    r"|[0-3]?\d[./-][01]?\d[./-](?:19|20)\d{2}"  # dates, day first
)
_DIGITS: Final = re.compile(r"\d(?:\D{0,3}\d){7}")
"""Without eight digits near each other there is no number to look for; most texts have none."""
_SHORTEST: Final = len("a@b.se")
_SHORT: Final = 200
"""Labels, names, addresses: what repeats itself from record to record, and is remembered as it is."""
_REMEMBERED: Final = 50_000
_PHONE_DIGITS: Final = range(8, 16)
"""A national number with its area code has 8 digits or more; E.164 allows at most 15."""

_CONTACT: Final = re.compile(
    r"contact|kontakt|mail|phone|telef|fax|mobile|wechat|whatsapp|skype|recruiter|manager.?name"
    r"|联系|电话|手机|邮箱|微信|传真|身份证"
)
"""In a field's folded name: what it holds is how to reach somebody, or who that is."""
_PEOPLE: Final = frozenset({"person", "contactpoint"})
"""Types of schema.org that describe a person."""


_in_order: dict[bytes, None] = {}
"""Digests of the long texts last seen that were in order as they came: 100 bytes each."""


def tidy(text: str) -> str:
    """The text as people may read it, without HTML, control characters and contact details.

    Ads repeat themselves: a text that was in order is known again at a tenth of the price.
    """
    if len(text) <= _SHORT:
        return _short(text)
    digest = blake2b(text.encode(), digest_size=16).digest()
    if digest in _in_order:
        return text
    tidied = redact(plain(text))
    if tidied == text:
        if len(_in_order) >= _REMEMBERED:
            _in_order.pop(next(iter(_in_order)), None)
        _in_order[digest] = None
    return tidied


@lru_cache(maxsize=16_384)
def _short(text: str) -> str:
    return redact(plain(text))


@lru_cache(maxsize=16_384)
def _short_value(text: str) -> str:
    return redact(printable(text))


@lru_cache(maxsize=4096)
def is_contact(name: str) -> bool:
    """True for a field that by its name holds somebody's contact."""
    return _CONTACT.search(name.casefold()) is not None


def without_contacts(value: object) -> object:
    """JSON without people's contacts: such fields and nodes go, and texts lose what `redact` finds.

    Recurses: the caller has made sure that the value is not nested too deeply.
    """
    if isinstance(value, str):
        if len(value) < _SHORTEST:
            return printable(value)
        return _short_value(value) if len(value) <= _SHORT else redact(printable(value))
    if isinstance(value, list):
        return [without_contacts(item) for item in value if not _is_person(item)]
    if isinstance(value, dict):
        return {
            name: without_contacts(held)
            for name, held in value.items()
            if not is_contact(name) and not _is_person(held)
        }
    return value


def _is_person(value: object) -> bool:
    kind = value.get("@type") if isinstance(value, dict) else None
    if kind is None:
        return False
    kinds = kind if isinstance(kind, list) else [kind]
    return any(isinstance(one, str) and re.split(r"[:/#]", one)[-1].casefold() in _PEOPLE for one in kinds)


def redact(text: str) -> str:
    """The text with e-mail addresses, telephone and identity numbers replaced."""
    if "@" in text:
        text = _EMAIL.sub(REPLACEMENT, text)
    if _DIGITS.search(text):
        if _IDENTITY_LIKE.search(text):
            text = _IDENTITY.sub(REPLACEMENT, text)
        text = _PHONE.sub(_phone, text)
    return text


def _phone(match: re.Match[str]) -> str:
    found = match.group()
    digits = sum(character.isdigit() for character in found)
    if digits not in _PHONE_DIGITS or _NO_PHONE.fullmatch(found):
        return found
    return REPLACEMENT
