"""Old messages parse for ever, and mean what they meant."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.envelope import TOMBSTONE, decode, family
from shared.contracts.lists import ListBody, contract_of
from shared.contracts.registry import CHANNELS, channel

CORPUS = Path(__file__).parent / "corpus"
MESSAGES = sorted(CORPUS.rglob("*.json"))


def named(path: Path) -> str:
    return path.relative_to(CORPUS).as_posix()


@pytest.mark.parametrize("path", MESSAGES, ids=named)
def test_an_old_message_parses_and_means_what_it_meant(path: Path):
    message = json.loads(path.read_text("utf-8"))
    headers = [(name, value.encode()) for name, value in message["headers"].items()]
    body = None if message["body"] is None else json.dumps(message["body"]).encode()
    at = channel(message["topic"])

    decoded = decode(at, headers, body)

    assert (family(at.topic), decoded.type) == path.relative_to(CORPUS).parts[:2]
    assert (decoded.type, decoded.version) == (message["expect"]["type"], message["expect"]["version"])
    model = contract_of(decoded.model) if isinstance(decoded.model, ListBody) else decoded.model
    fields = model.model_dump(mode="json") if model else {}
    expected: dict[str, Any] = message["expect"]["fields"]
    assert {pointer: value_at(fields, pointer) for pointer in expected} == expected


def value_at(node: Any, pointer: str) -> Any:  # noqa: ANN401 - JSON
    for part in pointer.split("/")[1:]:
        node = node[int(part)] if isinstance(node, list) else node[part]
    return node


@pytest.mark.parametrize("at", CHANNELS, ids=lambda at: at.topic)
def test_every_event_has_old_messages(at: Any):  # noqa: ANN401 - pytest's
    for event in (*at.models, *([TOMBSTONE] if at.state else [])):
        files = {path.name for path in (CORPUS / family(at.topic) / event).glob("*.json")}
        assert len(files) >= 2, f"{family(at.topic)}/{event} needs messages: a minimal and a full one"


def test_old_messages_are_never_edited():
    """`sha256sum postings.v1/PostingClosed/new.json >> SHA256SUMS` adds one; no line ever changes."""
    listed = (CORPUS / "SHA256SUMS").read_text("utf-8").splitlines()
    present = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {named(path)}" for path in MESSAGES]
    assert sorted(listed) == sorted(present)
