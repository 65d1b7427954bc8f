"""May this schema follow that one within a topic's version? Only optional fields may come or go.

Old and new code run side by side while a service is replaced, and compacted topics keep old records for
years. So every change is forbidden that makes either side refuse what the other writes, or misread it: a
narrower rule refuses old records, a wider one lets in records that old readers refuse, and another default
gives another meaning to old records, which leave out what equals their default. Anything else is a new
version of the topic (`postings.v2`).

What JSON Schema cannot say (a model's validators, a field's meaning) is held by the corpus of old messages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Schema = dict[str, object]

_TEXTS: Final = frozenset({"$id", "$schema", "$defs", "$comment", "title", "description", "examples", "deprecated"})
"""Keywords that allow and refuse nothing."""
_LEAST: Final = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_MOST: Final = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_ONE: Final = frozenset({"items", "additionalProperties", "propertyNames"})
_SEVERAL: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_ABSENT: Final = "(absent)"


def breaches(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Why `new` may not follow `old`: a line for each change, with its field's pointer; empty if it may."""
    return list(_Comparison(old, new).schemas("", dict(old), dict(new)))


@dataclass
class _Comparison:
    old: Mapping[str, object]
    new: Mapping[str, object]
    seen: set[tuple[str, str]] = field(default_factory=set)
    """Pairs with references that were already entered: a schema may contain itself."""

    def schemas(self, at: str, old: Schema, new: Schema) -> Iterator[str]:
        if "$ref" in old or "$ref" in new:
            pair = (_show(old), _show(new))
            if pair in self.seen:
                return
            self.seen.add(pair)
        old, new = _resolved(self.old, old), _resolved(self.new, new)
        old, new = _brief(old, new), _brief(new, old)
        yield from self._properties(at, old, new)
        for keyword in sorted((old.keys() | new.keys()) - _TEXTS - {"properties", "required"}):
            yield from self._keyword(at, keyword, old.get(keyword), new.get(keyword))

    def _properties(self, at: str, old: Schema, new: Schema) -> Iterator[str]:
        before, after = _part(old, "properties"), _part(new, "properties")
        needed, needs = _names(old.get("required")), _names(new.get("required"))
        for name in sorted(before.keys() | after.keys()):
            place = f"{at}/{name}"
            if name not in after:
                if name in needed:
                    yield f"{place}: a required field went: old readers refuse new records"
            elif name not in before:
                if name in needs:
                    yield f"{place}: a required field came: old records lack it"
            else:
                if name in needs - needed:
                    yield f"{place}: became required: old records may lack it"
                if name in needed - needs:
                    yield f"{place}: became optional: old readers refuse records without it"
                yield from self.schemas(place, _schema(before[name]), _schema(after[name]))

    def _keyword(self, at: str, keyword: str, old: object, new: object) -> Iterator[str]:
        if keyword in _ONE:
            yield from self.schemas(f"{at}/*", _schema(old), _schema(new))
        elif keyword in _SEVERAL:
            yield from self._alternatives(at, keyword, old, new)
        elif keyword == "patternProperties":
            yield from self._patterns(at, _schema(old), _schema(new))
        elif old == new and type(old) is type(new):
            return
        elif keyword == "enum":
            yield from _values(at, old, new)
        elif keyword in _LEAST | _MOST:
            yield _bound(at, keyword, old, new)
        elif keyword == "default":
            yield f"{at}: default {_show(old)} became {_show(new)}; old records leave it out"
        else:
            yield f"{at}: {keyword} {_show(old)} became {_show(new)}"

    def _alternatives(self, at: str, keyword: str, old: object, new: object) -> Iterator[str]:
        before, after = _by_kind(self.old, old), _by_kind(self.new, new)
        if len(before) != len(after):
            kinds = [", ".join(kind for kind, _ in parts) or _ABSENT for parts in (before, after)]
            yield f"{at}: {keyword} {kinds[0]} became {kinds[1]}"
            return
        for (_, one), (_, other) in zip(before, after, strict=True):
            yield from self.schemas(at, one, other)

    def _patterns(self, at: str, old: Schema, new: Schema) -> Iterator[str]:
        for pattern in sorted(old.keys() ^ new.keys()):
            yield f"{at}: the rule for fields named {pattern} {'went' if pattern in old else 'came'}"
        for pattern in sorted(old.keys() & new.keys()):
            yield from self.schemas(f"{at}/*", _schema(old[pattern]), _schema(new[pattern]))


def _resolved(root: Mapping[str, object], schema: Schema) -> Schema:
    """The schema with its reference into `$defs` followed; what stands beside the reference counts too."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    definition = _schema(_part(dict(root), "$defs")[reference.removeprefix("#/$defs/")])
    beside = {name: value for name, value in schema.items() if name != "$ref"}
    return {**_resolved(root, definition), **beside}


def _brief(schema: Schema, other: Schema) -> Schema:
    """The schema with a default that does not repeat the own one of a field that the other lacks: it says no more."""
    default, fields = schema.get("default"), _part(schema, "properties")
    if not isinstance(default, dict):
        return schema
    own = {name: _schema(fields[name]).get("default", _ABSENT) for name in fields.keys() - _part(other, "properties")}
    return {**schema, "default": {name: value for name, value in default.items() if own.get(name, _ABSENT) != value}}


def _schema(value: object) -> Schema:
    """A subschema; `true` and an absent one allow everything, `false` nothing."""
    if isinstance(value, dict):
        return value
    return {"not": {}} if value is False else {}


def _part(schema: Schema, name: str) -> Schema:
    return _schema(schema.get(name))


def _names(value: object) -> set[str]:
    return {str(name) for name in value} if isinstance(value, list) else set()


def _by_kind(root: Mapping[str, object], parts: object) -> list[tuple[str, Schema]]:
    """Alternatives with their types, in the order of these: their own order says nothing."""
    schemas = [_schema(part) for part in parts] if isinstance(parts, list) else []
    kinds = [str(_resolved(root, schema).get("type", "any")) for schema in schemas]
    return sorted(zip(kinds, schemas, strict=True), key=lambda pair: pair[0])


def _values(at: str, old: object, new: object) -> Iterator[str]:
    before, after = _shown(old), _shown(new)
    if before is None or after is None:
        yield f"{at}: enum {_show(old)} became {_show(new)}"
        return
    if gone := sorted(before - after):
        yield f"{at}: enum lost {', '.join(gone)}: old records with it are refused"
    if come := sorted(after - before):
        yield f"{at}: enum gained {', '.join(come)}: old readers refuse records with it"


def _shown(values: object) -> set[str] | None:
    return {_show(value) for value in values} if isinstance(values, list) else None


def _bound(at: str, keyword: str, old: object, new: object) -> str:
    change = f"{at}: {keyword} {_show(old)} became {_show(new)}"
    if isinstance(old, int | float) and isinstance(new, int | float):
        narrower = new > old if keyword in _LEAST else new < old
    else:
        narrower = old is None
    return change + (": old records may be refused" if narrower else ": old readers refuse what it lets in")


def _show(value: object) -> str:
    return _ABSENT if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
