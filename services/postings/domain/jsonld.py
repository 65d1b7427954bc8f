"""The one job posting in a JSON-LD document, with the names of schema.org alone.

Read as data, not as linked data: contexts are recognised, never fetched. `schema:title` and
`https://schema.org/title` become `title`, `{"@value": x}` becomes x, `{"@set": [x]}` the list, and a reference
(`{"@id": …}`) at the top of the job posting becomes the node of the same graph.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.postings.domain.faults import Faults, fault
from shared.contracts.envelope import pointer

Node = dict[str, object]

_VOCABULARY: Final = re.compile(r"https?://(?:www\.)?schema\.org(?:/.*)?", re.IGNORECASE)
_PREFIX: Final = re.compile(r"(?:schema:|https?://(?:www\.)?schema\.org/)")
JOB_POSTING: Final = "JobPosting"
_MOST_REFERENCES: Final = 20
"""Of one field; each may stand for a large node."""


@dataclass(frozen=True, slots=True)
class Found:
    """The job posting, and where it stands."""

    node: Node
    at: tuple[str | int, ...]
    prefix: str
    """What stands before the names of its fields in the record: empty, or `schema:`, or an address."""
    language: str | None
    """Of the context: ISO 639."""

    def pointer(self, *names: str | int) -> str:
        """A JSON pointer into the record as it came."""
        full = (self.prefix + name if isinstance(name, str) and not name.startswith("@") else name for name in names)
        return pointer((*self.at, *full))


def job_posting(document: Mapping[str, object]) -> Found | Faults:
    """The document's only job posting, or the fault that there is none or more than one."""
    graph = document.get("@graph")
    nodes: list[tuple[tuple[str | int, ...], object]] = [((), document)]
    if isinstance(graph, list):
        nodes += [(("@graph", number), node) for number, node in enumerate(graph)]
    elif graph is not None:
        nodes.append((("@graph",), graph))
    found = [(at, node) for at, node in nodes if isinstance(node, dict) and JOB_POSTING in types(node)]
    if len(found) != 1:
        code = "several_job_postings" if found else "no_job_posting"
        return (fault(code, "/@graph" if graph is not None else "/@type"),)
    at, node = found[0]
    for place, holder in (((), document), (at, node)):
        if not _is_known(holder.get("@context")):
            return (fault("unknown_context", pointer((*place, "@context"))),)
    index = {one["@id"]: one for _, one in nodes if isinstance(one, dict) and isinstance(one.get("@id"), str)}
    prefix = next((match.group() for name in node if (match := _PREFIX.match(name))), "")
    bare = {_name(name): _plain(_resolved(value, index)) for name, value in node.items()}
    return Found(bare, at, prefix, _language(document.get("@context")) or _language(node.get("@context")))


def types(node: Mapping[str, object]) -> list[str]:
    """The types of a node, without their vocabulary."""
    kinds = items(node.get("@type"))
    return [_name(kind) for kind in kinds if isinstance(kind, str)]


def items(value: object) -> list[object]:
    """One or several values as a list, without nulls."""
    return [item for item in (value if isinstance(value, list) else [value]) if item is not None]


def _is_known(context: object) -> bool:
    """True for schema.org's, by itself or among others, and for none at all: then the type says it."""
    if context is None:
        return True
    if isinstance(context, list):
        return any(one is not None and _is_known(one) for one in context)
    if isinstance(context, dict):
        return any(isinstance(one, str) and _VOCABULARY.fullmatch(one) for one in context.values())
    return isinstance(context, str) and _VOCABULARY.fullmatch(context.strip()) is not None


def _language(context: object) -> str | None:
    named = next((one["@language"] for one in items(context) if isinstance(one, dict) and "@language" in one), None)
    return named if isinstance(named, str) else None


def _resolved(value: object, index: Mapping[object, Node]) -> object:
    if isinstance(value, list):
        return [*(_resolved(item, index) for item in value[:_MOST_REFERENCES]), *value[_MOST_REFERENCES:]]
    if isinstance(value, dict) and value.keys() == {"@id"} and isinstance(value["@id"], str):
        return index.get(value["@id"], value)
    return value


def _plain(value: object) -> object:
    """Recurses: the record is not nested too deeply."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    for wrapper in ("@value", "@list", "@set"):
        if wrapper in value:
            return _plain(value[wrapper])
    return {_name(name): _plain(held) for name, held in value.items()}


def _name(name: str) -> str:
    return _PREFIX.sub("", name, count=1) if _PREFIX.match(name) else name
