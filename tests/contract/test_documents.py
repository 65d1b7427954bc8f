"""The committed documents are what the code says, and they say what the registry says."""

import re

import jsonschema
import pytest

from deploy.contracts import FOLDER, GENERATED, message_documents, openapi
from shared.contracts.envelope import dataschema, family
from shared.contracts.generate import SERVICES, Json, schema_path, schemas, text
from shared.contracts.registry import CHANNELS

STALE = "is stale: run `make contracts` and look at the difference"


def committed(path: str) -> str:
    file = FOLDER / path
    return file.read_text("utf-8") if file.exists() else ""


@pytest.mark.parametrize("path", message_documents())
def test_schemas_and_asyncapi_are_not_stale(path: str):
    assert committed(path) == message_documents()[path], f"docs/contracts/{path} {STALE}"


@pytest.mark.parametrize("service", SERVICES)
def test_openapi_is_not_stale(service: str):
    assert committed(f"openapi/{service}.json") == text(openapi(service)), f"openapi/{service}.json {STALE}"


def test_nothing_else_lies_among_the_generated_documents():
    expected = {*message_documents(), *(f"openapi/{service}.json" for service in SERVICES)}
    there = {path.relative_to(FOLDER).as_posix() for part in GENERATED for path in (FOLDER / part).rglob("*.json")}
    assert there == expected


@pytest.mark.parametrize(("path", "schema"), schemas().items(), ids=schemas())
def test_each_schema_is_one_and_named_as_its_records_name_it(path: str, schema: Json):
    jsonschema.Draft202012Validator.check_schema(schema)
    assert re.fullmatch(r"[A-Za-z0-9:._-]+", str(schema["$id"])), "a URI has no braces"
    assert schema["$id"] in {
        dataschema(channel.topic, model.__name__)
        for channel in CHANNELS
        for model in channel.events
        if schema_path(channel, model) == path
    }


def test_every_channel_has_its_own_name_in_the_documents():
    names = [family(channel.topic) for channel in CHANNELS]
    assert len(set(names)) == len(names)
