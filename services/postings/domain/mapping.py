"""What a form's fields become: one table for each form, from which the documents are made.

A record's fields fall into four: those that the posting takes, those that are left out on purpose, those that are
personal and never kept, and those that the table does not know. The second and the last are the record's `rest`: kept
beside the posting without people's contacts; the last are named in the receipt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from pydantic_core import to_json

from services.postings.domain.contacts import is_contact, redact, without_contacts
from services.postings.domain.texts import printable

MAX_DEPTH: Final = 32
"""Most levels of objects and lists in a record. The deepest real one known has 6."""
MAX_REST_BYTES: Final = 16_384
"""Most bytes of a record's rest as JSON; fields that do not fit any more are left out, in the record's order."""
MAX_NAMES: Final = 50
"""Most unmapped fields that a receipt names."""
_LONGEST_NAME: Final = 120
BARE: Final = "@value"
"""In a dotted field: the value itself, where a record may have a text or an object."""
_ABSENT: Final = object()
_NUMBERS: Final = (int, float)
_NESTED: Final = (dict, list)
"""Written out as `dict | list`, a union is made anew for each of a record's hundred values."""


class Fate(Enum):
    """What becomes of a field."""

    TAKEN = "taken"
    LEFT_OUT = "left out"
    PERSONAL = "personal"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a form's table."""

    fields: tuple[str, ...]
    """Dotted, from the top of the record (in JSON-LD: of the job posting); lists are passed through."""
    to: str
    """The posting's field; empty if it goes nowhere."""
    rule: str
    """How, or why not, for the documents."""
    fate: Fate = Fate.TAKEN


def row(fields: str, to: str, rule: str = "") -> Row:
    """Fields (names with blanks between them) that the posting takes."""
    return Row(tuple(fields.split()), to, rule)


def left_out(fields: str, why: str) -> Row:
    """Fields that have no place in a posting; they are kept beside it."""
    return Row(tuple(fields.split()), "", why, Fate.LEFT_OUT)


def personal(fields: str, why: str) -> Row:
    """Fields that are never read and never kept."""
    return Row(tuple(fields.split()), "", why, Fate.PERSONAL)


class Tree(dict[str, "Tree | Fate"]):
    """A table by the record's shape: a leaf says what becomes of all below it."""

    gone: frozenset[str] = frozenset()
    """The leaves of which nothing is kept: an object that has no others, as most, leaves nothing."""


def tree(rows: Iterable[Row]) -> Tree:
    """The table as a tree. Raises ValueError or TypeError if a field stands in it twice, or within another."""
    top = Tree()
    for line in rows:
        for dotted in line.fields:
            *parents, leaf = dotted.split(".")
            at = top
            for parent in parents:
                inner = at.setdefault(parent, Tree())
                if not isinstance(inner, Tree):
                    raise TypeError(f"{dotted} lies within a field that is mapped as a whole")
                at = inner
            if leaf in at:
                raise ValueError(f"{dotted} is mapped twice")
            at[leaf] = line.fate
            if line.fate is not Fate.LEFT_OUT:
                at.gone |= {leaf}
    return top


@dataclass(slots=True)
class Rest:
    """What of a record has no place in a posting."""

    large: bool
    """The record is so large that single fields of it may be too large to be kept."""
    names: dict[str, None] = field(default_factory=dict)
    kept: dict[str, object] = field(default_factory=dict)

    @property
    def unmapped(self) -> tuple[str, ...]:
        """The fields that the table does not know, by dotted name."""
        return tuple(self.names)[:MAX_NAMES]

    def keep(self, name: str, value: object) -> None:
        """Keep a field at the top of the record, unless it holds contacts or is too large."""
        if (kept := self.without_contacts(name, value)) is not _ABSENT:
            self.kept[name] = kept

    def json(self) -> str | None:
        """What is kept, as JSON of at most `MAX_REST_BYTES`; None if it is nothing."""
        text = to_json(self.kept) if self.kept else b""
        if len(text) > MAX_REST_BYTES:
            text = to_json(self._fitting())
        return text.decode() or None

    def part(self, name: str, value: object, at: Tree | Fate | None, path: str) -> object:
        """What is kept of a field of which the table says this; its name is noted if it says nothing."""
        if isinstance(at, Tree):
            return self._below(value, at, path)
        if at is Fate.TAKEN or at is Fate.PERSONAL or _is_empty(value):
            return _ABSENT
        if at is None and len(self.names) < MAX_NAMES:
            self.names.setdefault(redact(printable(path))[:_LONGEST_NAME])
        return self.without_contacts(name, value)

    def without_contacts(self, name: str, value: object) -> object:
        """The field without people's contacts; nothing if it is one, or too large."""
        if is_contact(name):
            return _ABSENT
        if self.large:
            if isinstance(value, str):
                value = value[:MAX_REST_BYTES]
            elif isinstance(value, _NESTED) and len(to_json(value)) > MAX_REST_BYTES:
                return _ABSENT
        return without_contacts(value)

    def _below(self, value: object, at: Tree, path: str) -> object:
        if isinstance(value, list):
            parts = [self._below(item, at, path) for item in value]
            return [part for part in parts if part is not _ABSENT] or _ABSENT
        if not isinstance(value, dict):  # bare, where the table has fields
            return self.part(path, value, at.get(BARE), path)
        if value.keys() <= at.gone:
            return _ABSENT
        kept = {}
        for name, held in value.items():
            if name not in at.gone and not _is_empty(held):
                part = self.part(name, held, at.get(name), f"{path}.{name}")
                if part is not _ABSENT:
                    kept[name] = part
        return kept or _ABSENT

    def _fitting(self) -> dict[str, object]:
        kept: dict[str, object] = {}
        room = MAX_REST_BYTES - len(b"{}")
        for name, value in self.kept.items():
            size = len(to_json({name: value}))
            if size <= room:
                kept[name] = value
                room -= size
        return kept


def rest_of(record: Mapping[str, object], table: Tree, size: int) -> Rest:
    """What of a record, of so many bytes, the table leaves out or does not know.

    Recurses: the record is no deeper than `MAX_DEPTH`.
    """
    rest = Rest(size > MAX_REST_BYTES)
    for name, value in record.items():
        if name in table.gone or _is_empty(value):
            continue
        kept = rest.part(name, value, table.get(name), name)
        if kept is not _ABSENT:
            rest.kept[name] = kept
    return rest


def _is_empty(value: object) -> bool:
    return not value and not isinstance(value, _NUMBERS)


def is_too_deep(record: Mapping[str, object] | list[object]) -> bool:
    """True for more than `MAX_DEPTH` levels of objects and lists."""
    level: list[Mapping[str, object] | list[object]] = [record]
    for _ in range(MAX_DEPTH):
        level = [
            held
            for one in level
            for held in (one if isinstance(one, list) else one.values())
            if isinstance(held, _NESTED)
        ]
        if not level:
            return False
    return True
