"""Within a topic's version only optional fields may come or go."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from deploy.contracts import BASELINE, incompatible
from shared.contracts.compatibility import breaches
from shared.contracts.generate import schemas

Edit = Callable[[Any], object]

RELEASED: dict[str, Any] = {
    "title": "JobOffered",
    "type": "object",
    "properties": {
        "id": {"type": "string", "maxLength": 64, "pattern": "^[a-z]+$"},
        "pay": {"anyOf": [{"$ref": "#/$defs/Pay"}, {"type": "null"}], "default": None},
        "remote": {"type": "boolean", "default": False},
        "skills": {"type": "array", "items": {"$ref": "#/$defs/Skill"}, "maxItems": 50, "default": []},
        "wanted": {"$ref": "#/$defs/Skill", "default": {"level": 1}},
        "texts": {"type": "object", "patternProperties": {"^[a-z]{2}$": {"type": "string", "maxLength": 9}}},
        "kind": {"$ref": "#/$defs/Kind"},
        "related": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}], "default": None},
    },
    "required": ["id", "kind"],
    "$defs": {
        "Kind": {"type": "string", "enum": ["open", "closed"]},
        "Node": {
            "type": "object",
            "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}], "default": None}},
        },
        "Pay": {
            "type": "object",
            "properties": {"min": {"type": "integer", "minimum": 0}, "currency": {"type": "string"}},
            "required": ["currency"],
        },
        "Skill": {"type": "object", "properties": {"level": {"type": "integer", "default": 1}}},
    },
}


def edited(edit: Edit) -> dict[str, Any]:
    schema = deepcopy(RELEASED)
    edit(schema)
    return schema


ALLOWED: dict[str, Edit] = {
    "nothing": lambda _: None,
    "an optional field came": lambda s: s["properties"].update(url={"type": "string", "default": ""}),
    "an optional field went": lambda s: s["properties"].pop("remote"),
    "a nested optional field came": lambda s: s["$defs"]["Pay"]["properties"].update(max={"type": "integer"}),
    "a nested optional field went": lambda s: s["$defs"]["Pay"]["properties"].pop("min"),
    "an optional field came, and a default repeats it": lambda s: (
        s["$defs"]["Skill"]["properties"].update(label={"type": "string", "default": ""}),
        s["properties"]["wanted"]["default"].update(label=""),
    ),
    "words": lambda s: s["properties"]["id"].update(description="An id", title="Id", examples=["a"]),
    "an unused definition": lambda s: s["$defs"].update(Extra={"type": "object"}),
    "unknown fields allowed, as ever": lambda s: s.update(additionalProperties=True),
    "the order of alternatives": lambda s: s["properties"]["pay"]["anyOf"].reverse(),
    "the order of required fields": lambda s: s["required"].reverse(),
    "the order of values": lambda s: s["$defs"]["Kind"]["enum"].reverse(),
    "a definition written out": lambda s: s["properties"].update(kind=s["$defs"]["Kind"]),
}


@pytest.mark.parametrize("edit", ALLOWED.values(), ids=ALLOWED)
def test_what_may_change(edit: Edit):
    assert breaches(RELEASED, edited(edit)) == []


FORBIDDEN: dict[str, tuple[Edit, str]] = {
    "a required field went": (
        lambda s: (s["properties"].pop("kind"), s["required"].remove("kind")),
        "/kind: a required field went: old readers refuse new records",
    ),
    "a required field came": (
        lambda s: (s["properties"].update(url={"type": "string"}), s["required"].append("url")),
        "/url: a required field came: old records lack it",
    ),
    "a field became required": (
        lambda s: s["required"].append("remote"),
        "/remote: became required: old records may lack it",
    ),
    "a field became optional": (
        lambda s: s["required"].remove("kind"),
        "/kind: became optional: old readers refuse records without it",
    ),
    "a nested field became required": (
        lambda s: s["$defs"]["Pay"]["required"].append("min"),
        "/pay/min: became required: old records may lack it",
    ),
    "another type": (
        lambda s: s["$defs"]["Pay"]["properties"]["min"].update(type="string"),
        '/pay/min: type "integer" became "string"',
    ),
    "another type of items": (
        lambda s: s["properties"]["skills"].update(items={"type": "string"}),
        '/skills/*: type "object" became "string"',
    ),
    "no null any more": (
        lambda s: s["properties"]["pay"]["anyOf"].pop(),
        "/pay: anyOf null, object became object",
    ),
    "null as well": (
        lambda s: s["properties"].update(kind={"anyOf": [{"$ref": "#/$defs/Kind"}, {"type": "null"}]}),
        "/kind: anyOf (absent) became null, string",
    ),
    "a narrower length": (
        lambda s: s["properties"]["id"].update(maxLength=32),
        "/id: maxLength 64 became 32: old records may be refused",
    ),
    "a wider length": (
        lambda s: s["properties"]["id"].update(maxLength=128),
        "/id: maxLength 64 became 128: old readers refuse what it lets in",
    ),
    "a new limit": (
        lambda s: s["$defs"]["Pay"]["properties"]["min"].update(maximum=10),
        "/pay/min: maximum (absent) became 10: old records may be refused",
    ),
    "a limit went": (
        lambda s: s["$defs"]["Pay"]["properties"]["min"].pop("minimum"),
        "/pay/min: minimum 0 became (absent): old readers refuse what it lets in",
    ),
    "fewer items": (
        lambda s: s["properties"]["skills"].update(maxItems=5),
        "/skills: maxItems 50 became 5: old records may be refused",
    ),
    "another pattern": (
        lambda s: s["properties"]["id"].update(pattern="^[0-9]+$"),
        '/id: pattern "^[a-z]+$" became "^[0-9]+$"',
    ),
    "a format": (
        lambda s: s["properties"]["id"].update(format="uuid"),
        '/id: format (absent) became "uuid"',
    ),
    "a value went": (
        lambda s: s["$defs"]["Kind"]["enum"].remove("open"),
        '/kind: enum lost "open": old records with it are refused',
    ),
    "a value came": (
        lambda s: s["$defs"]["Kind"]["enum"].append("paused"),
        '/kind: enum gained "paused": old readers refuse records with it',
    ),
    "one value only": (
        lambda s: s["$defs"].update(Kind={"type": "string", "const": "open"}),
        '/kind: const (absent) became "open"',
    ),
    "another default": (
        lambda s: s["properties"]["remote"].update(default=True),
        "/remote: default false became true; old records leave it out",
    ),
    "another default beside a reference seen before": (
        lambda s: s["properties"]["wanted"].update(default={"level": 2}),
        '/wanted: default {"level": 1} became {"level": 2}; old records leave it out',
    ),
    "unknown fields refused": (
        lambda s: s.update(additionalProperties=False),
        "/*: not (absent) became {}",
    ),
    "another rule for keys": (
        lambda s: s["properties"]["texts"].update(patternProperties={"^[a-z]{3}$": {"type": "string"}}),
        "/texts: the rule for fields named ^[a-z]{2}$ went",
    ),
    "a narrower text by key": (
        lambda s: s["properties"]["texts"]["patternProperties"]["^[a-z]{2}$"].update(maxLength=1),
        "/texts/*: maxLength 9 became 1: old records may be refused",
    ),
    "a change inside what contains itself": (
        lambda s: s["$defs"]["Node"]["properties"].update(next={"type": "string", "default": None}),
        "/related/next: anyOf null, object became (absent)",
    ),
}


@pytest.mark.parametrize(("edit", "said"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_may_not_change(edit: Edit, said: str):
    assert said in breaches(RELEASED, edited(edit))


def test_the_present_schemas_may_follow_the_released_ones():
    assert incompatible() == []


def test_there_is_a_baseline_of_every_event():
    released = {path.relative_to(BASELINE).as_posix() for path in BASELINE.rglob("*.schema.json")}
    unreleased = set(schemas()) - released
    assert not unreleased, "new events: run `python -m deploy.contracts --release` once they are settled"
