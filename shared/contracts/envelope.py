"""CloudEvents 1.0 in Kafka's binary mode, plus W3C `traceparent`: headers to events and back.

Source: CloudEvents 1.0.2, Kafka protocol binding, section 3.2 (binary content mode).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from shared.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shared.contracts.common import Contract
    from shared.contracts.lists import ListBody
    from shared.contracts.registry import Channel

CONTENT_TYPE = "application/json"
STRUCTURED = "application/cloudevents+json"
SCHEMA_VERSION = 1
VERSION_HEADER = "ce_aggregateversion"
"""Extension attribute: the aggregate's version, readable without the body and present on tombstones."""
EPOCH_HEADER = "ce_relayepoch"
"""Extension attribute: the fencing number of the relay that wrote the record (`shared.relay`)."""
WRITER_HEADER = "ce_writer"
"""Extension attribute: the matcher process that wrote the list."""
FILLER_HEADER = "ce_filler"
"""Marks the daily record that makes an idle partition's last segment roll; it is no event."""
TRACEPARENT = "traceparent"
TOMBSTONE = "Tombstone"
"""The `ce_type` of a null body on a state topic."""
_MOST_DIGITS = 18
"""Of a version: what fits into 64 bits."""
_LIMITS = {"ge", "gt", "le", "lt", "min_length", "max_length", "pattern", "expected"}
"""Of pydantic's contexts, what comes from the rule and not from the input."""
_RECURSION = "recursion limit exceeded"
"""What pydantic's JSON parser says of more than 200 levels; it stops there, whatever is meant to follow."""
_LONGEST_NAME = 80
"""Of a field or header that is named in a reason: in the record it may be as long as it likes."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One event as it came."""

    type: str
    model: Contract | ListBody | None
    """None is a tombstone."""
    version: int
    """Aggregate version; 0 on topics without state."""
    headers: Mapping[str, str]
    data: bytes | None = field(default=None, compare=False, repr=False)
    """The event's own body as JSON: what lay inside the envelope, where there was one."""


def family(topic: str) -> str:
    """The name of a channel in documents and URIs, where braces may not stand: `partner.postings.v1`."""
    return topic.replace("{partner}.", "")


def dataschema(topic: str, event_type: str) -> str:
    """The `ce_dataschema` of an event (a URI): which schema, and which version of it."""
    return f"urn:contract:{family(topic)}:{event_type}:{SCHEMA_VERSION}"


def event_headers(  # noqa: PLR0913 - one attribute each
    *,
    source: str,
    event_type: str,
    subject: str,
    topic_family: str,
    version: int | None = None,
    time: datetime | None = None,
    event_id: str | None = None,
    traceparent: str | None = None,
) -> dict[str, str]:
    """The headers of one event; `topic_family` is the channel's topic (with `{partner}` if it has one)."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event_id or uuid4().hex,
        "ce_source": source,
        "ce_type": event_type,
        "ce_time": (time or datetime.now(UTC)).isoformat(),
        "ce_subject": subject,
        "content-type": CONTENT_TYPE,
    }
    if event_type != TOMBSTONE:
        headers["ce_dataschema"] = dataschema(topic_family, event_type)
    if version is not None:
        headers[VERSION_HEADER] = str(version)
    if traceparent:
        headers[TRACEPARENT] = traceparent
    return headers


def read_headers(raw: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """Kafka's headers as text. Raises Rejected for a header that this envelope needs and that is not UTF-8."""
    headers: dict[str, str] = {}
    for name, value in raw:
        if value is None:
            continue
        try:
            headers[name] = value.decode()
        except UnicodeDecodeError as error:
            if name.startswith("ce_") or name in {"content-type", TRACEPARENT}:
                message = f"header {name[:_LONGEST_NAME]} is not UTF-8"
                raise Rejected(message, code="invalid_header", stage="HEADER_CONVERTER") from error
    return headers


def decode(channel: Channel, headers: Sequence[tuple[str, bytes | None]], value: bytes | None) -> Decoded:
    """One record to one event. Raises Rejected with the reason if it is none that this channel knows."""
    text = read_headers(headers)
    if value is None:
        if not channel.state:
            message = "a null body is no event on this topic"
            raise Rejected(message, code="null_body")
        return Decoded(TOMBSTONE, None, _version(text), text)
    if text.get("content-type", "").lower().startswith(STRUCTURED):
        text, value = _unwrap(text, value)
    event_type = _event_type(channel, text)
    _check_schema(channel, text, event_type)
    model = channel.models[event_type]
    read = channel.readers.get(event_type, model.model_validate_json)
    try:
        body = read(value)
    except ValidationError as error:
        raise _rejection(error) from error
    # only where the contract has it: elsewhere a field of that name is the sender's own, and may hold anything
    named = [name for name in ("version", "revision") if name in model.model_fields]
    version = next((int(getattr(body, name) or 0) for name in named), 0)
    if len(str(version)) > _MOST_DIGITS:
        raise Rejected("this version is no number of 64 bits", code="version_too_large")
    return Decoded(event_type, body, version, text, value)


def _event_type(channel: Channel, headers: Mapping[str, str]) -> str:
    """By `ce_type`. Of others' records else by the schema that is named, else by the media type. Raises Rejected."""
    named = headers.get("ce_type", "")
    if named in channel.models:
        return named
    schema = headers.get("ce_dataschema", "")
    media = headers.get("ce_datacontenttype") or headers.get("content-type", "")
    ours = () if channel.state else channel.models
    found = (
        next((event_type for event_type in ours if schema == dataschema(channel.topic, event_type)), None)
        or channel.schemas.get(schema)
        or channel.media_types.get(media.partition(";")[0].strip().lower())
    )
    if found is None:
        known = ", ".join(channel.models)
        message = f"unknown event type {named[:80]!r}; this topic carries {known}"
        raise Rejected(message, code="unknown_type", stage="HEADER_CONVERTER")
    return found


def _version(headers: Mapping[str, str]) -> int:
    raw = headers.get(VERSION_HEADER, "")
    if not raw.isascii() or not raw.isdigit() or len(raw) > _MOST_DIGITS:
        message = f"a tombstone needs its version in {VERSION_HEADER}"
        raise Rejected(message, code="missing_version", stage="HEADER_CONVERTER")
    return int(raw)


def _check_schema(channel: Channel, headers: Mapping[str, str], event_type: str) -> None:
    """An absent schema means version 1, so that partners need not name it."""
    named = headers.get("ce_dataschema")
    if named is None or channel.schemas.get(named) == event_type:
        return
    if named != dataschema(channel.topic, event_type):
        message = f"unknown schema {named[:120]!r}; expected {dataschema(channel.topic, event_type)}"
        raise Rejected(message, code="unknown_schema_version", stage="HEADER_CONVERTER")


def _unwrap(headers: Mapping[str, str], value: bytes) -> tuple[dict[str, str], bytes]:
    """Structured mode: the event's attributes and data lie in one JSON body."""
    try:
        event = from_json(value)
    except ValueError as error:
        if _RECURSION in str(error):
            raise Rejected("nested too deeply", code="too_deep") from error
        message = "the body is not JSON"
        raise Rejected(message, code="invalid_json") from error
    if not isinstance(event, dict) or "data" not in event:
        message = "a structured CloudEvent needs an object with data"
        raise Rejected(message, code="missing", pointer="/data")
    text = dict(headers)
    text |= {f"ce_{name}": item for name, item in event.items() if isinstance(item, str) and name != "data"}
    return text, to_json(event["data"])


def pointer(location: Sequence[int | str]) -> str:
    """A pydantic error location as a JSON pointer (RFC 6901); overlong field names are cut."""
    names = (str(part)[:_LONGEST_NAME] for part in location)
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def _rejection(error: ValidationError) -> Rejected:
    """The first fault of a body. Its input is left out: it may hold anything, and ends in headers and logs."""
    first = error.errors(include_url=False, include_input=False)[0]
    if _RECURSION in first["msg"]:
        return Rejected("nested too deeply", code="too_deep")
    limits = {name: limit for name, limit in first.get("ctx", {}).items() if name in _LIMITS}
    return Rejected(first["msg"], code=first["type"], pointer=pointer(first["loc"]), limits=limits)
