"""The contracts as documents, made from the registry: JSON Schema by event, AsyncAPI 3.0 by service.

`deploy/contracts.py` writes them, together with the services' OpenAPI documents, under `docs/contracts`.

Sources: JSON Schema 2020-12; AsyncAPI 3.0.0 with its Kafka bindings 0.5.0; CloudEvents 1.0.2.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from shared.contracts.envelope import (
    CONTENT_TYPE,
    EPOCH_HEADER,
    FILLER_HEADER,
    TOMBSTONE,
    TRACEPARENT,
    VERSION_HEADER,
    WRITER_HEADER,
    dataschema,
    family,
)
from shared.contracts.registry import CHANNELS, Party
from shared.dead_letters import dead_letter_topic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.contracts.common import Contract
    from shared.contracts.registry import Channel
    from shared.topics import Topic

Json = dict[str, object]

SERVICES: Final[tuple[Party, ...]] = ("postings", "profiles", "matcher", "notifications")
BINDING: Final = "0.5.0"
DEAD_LETTER_HEADERS: Final = tuple(
    f"__connect.errors.{name}"
    for name in ("topic", "partition", "offset", "stage", "exception.class.name", "exception.message")
)
_TEXT: Final = {"type": "string"}


def text(document: Json) -> str:
    """A document as it is committed: sorted, so that a difference is a change of the contract."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def schema_path(channel: Channel, model: type[Contract]) -> str:
    """Where the schema of an event lies, under `schemas/`."""
    return f"{family(channel.topic)}/{model.__name__}.schema.json"


def schemas() -> dict[str, Json]:
    """The schema of each event's body as its consumers accept it, by path."""
    return {schema_path(channel, model): _schema(channel, model) for channel in CHANNELS for model in channel.events}


def _schema(channel: Channel, model: type[Contract]) -> Json:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": dataschema(channel.topic, model.__name__),
        # as validated, not as serialized: publishers leave out what equals its default
        **model.model_json_schema(mode="validation"),
    }


def asyncapi(service: Party, topics: Mapping[str, Topic]) -> Json:
    """What one service sends and receives. `topics`: all that are declared, by name (or name template)."""
    sent = [channel for channel in CHANNELS if service in channel.publishers]
    received = [channel for channel in CHANNELS if service in channel.consumers]
    groups = sorted({group for channel in received for group in channel.consumers[service]})
    used = [channel for channel in CHANNELS if channel in sent or channel in received]
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:service:{service}",
        "info": {
            "title": service,
            "version": "1.0.0",
            "description": f"What {service} sends and receives over Kafka: CloudEvents 1.0 in binary mode.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            **{family(channel.topic): _channel(channel, topics[channel.topic]) for channel in used},
            **{dead_letter_topic(group): _dead_letters(group, topics) for group in groups},
        },
        "operations": {
            **{
                f"send.{family(channel.topic)}": _send(family(channel.topic), list(_events(channel)))
                for channel in sent
            },
            **{
                f"receive.{family(channel.topic)}{'.' + group if group else ''}": _receive(channel, group)
                for channel in received
                for group in channel.consumers[service] or ("",)
            },
            **{f"send.{dead_letter_topic(group)}": _send(dead_letter_topic(group), ["DeadLetter"]) for group in groups},
        },
        "components": {
            "messages": {
                **{
                    f"{family(channel.topic)}.{name}": _message(channel, name)
                    for channel in used
                    for name in _events(channel)
                },
                **({"DeadLetter": _dead_letter()} if groups else {}),
            }
        },
    }


def _events(channel: Channel) -> tuple[str, ...]:
    return (*channel.models, TOMBSTONE) if channel.state else tuple(channel.models)


def _channel(channel: Channel, topic: Topic) -> Json:
    name = family(channel.topic)
    skipped = f" A record with the header `{FILLER_HEADER}` is no event." if channel.state else ""
    described: Json = {
        "address": channel.topic,
        "title": name,
        "description": f"{channel.summary} Key: {channel.key}.{skipped}",
        "messages": {event: {"$ref": f"#/components/messages/{name}.{event}"} for event in _events(channel)},
        "bindings": {"kafka": _topic_binding(topic)},
    }
    if name != channel.topic:
        described["parameters"] = {"partner": {"description": "Partner id: lower-case letters, digits, hyphens."}}
    return described


def _topic_binding(topic: Topic) -> Json:
    config: Json = {name: int(value) if value.isdigit() else value for name, value in topic.config.items()}
    config["cleanup.policy"] = topic.config["cleanup.policy"].split(",")
    return {"partitions": topic.partitions, "topicConfiguration": config, "bindingVersion": BINDING}


def _send(name: str, events: list[str]) -> Json:
    return {"action": "send", **_on(name, events)}


def _receive(channel: Channel, group: str) -> Json:
    operation: Json = {"action": "receive", **_on(family(channel.topic), list(_events(channel)))}
    if group:
        binding = {"groupId": {**_TEXT, "enum": [group]}, "bindingVersion": BINDING}
        operation["bindings"] = {"kafka": binding}
    return operation


def _on(name: str, events: list[str]) -> Json:
    return {
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{event}"} for event in events],
    }


def _message(channel: Channel, event: str) -> Json:
    model = channel.models.get(event)
    message: Json = {
        "name": event,
        "headers": _headers(channel, event),
        "bindings": {"kafka": {"key": {**_TEXT, "description": channel.key}, "bindingVersion": BINDING}},
    }
    if model is None:
        summary = "The aggregate is erased: a null body, and the version in a header."
        return message | {"summary": summary, "payload": {"type": "null"}}
    return message | {
        "contentType": CONTENT_TYPE,
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "payload": {"$ref": f"../schemas/{schema_path(channel, model)}"},
    }


def _headers(channel: Channel, event: str) -> Json:
    """CloudEvents' attributes. Of partners no more is asked than the type."""
    media = [name for name, named in channel.media_types.items() if named == event]
    properties: Json = {
        "ce_specversion": {**_TEXT, "const": "1.0"},
        "ce_id": _TEXT,
        "ce_source": _TEXT,
        "ce_type": {**_TEXT, "const": event},
        "ce_time": {**_TEXT, "format": "date-time"},
        "ce_subject": {**_TEXT, "description": channel.key},
    }
    if event != TOMBSTONE:
        properties["content-type"] = {
            **_TEXT,
            **({"enum": [CONTENT_TYPE, *media]} if media else {"const": CONTENT_TYPE}),
        }
        properties["ce_dataschema"] = {**_TEXT, "const": dataschema(channel.topic, event)}
    if channel.state:
        description = "The aggregate's version; a list's is its revision."
        properties[VERSION_HEADER] = {**_TEXT, "pattern": "^[0-9]+$", "description": description}
    foreign = "partner" in channel.publishers
    required = (["ce_type"] if not media else []) if foreign else list(properties)
    properties[TRACEPARENT] = {**_TEXT, "description": "W3C trace context."}
    if "matcher" in channel.publishers:
        properties[WRITER_HEADER] = {**_TEXT, "description": "Which matcher process wrote it."}
    elif "operator" not in channel.publishers and not foreign:
        properties[EPOCH_HEADER] = {**_TEXT, "description": "Which relay wrote it: a fencing number."}
    return {"type": "object", "properties": properties, "required": required}


def _dead_letters(group: str, topics: Mapping[str, Topic]) -> Json:
    name = dead_letter_topic(group)
    return {
        "address": name,
        "title": name,
        "description": f"Records that {group} cannot handle, as they came, and why. For operators.",
        "messages": {"DeadLetter": {"$ref": "#/components/messages/DeadLetter"}},
        "bindings": {"kafka": _topic_binding(topics[name])},
    }


def _dead_letter() -> Json:
    return {
        "name": "DeadLetter",
        "summary": "A record that will never work: key, value, headers and time stamp as they came.",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "properties": dict.fromkeys(DEAD_LETTER_HEADERS, _TEXT),
            "required": list(DEAD_LETTER_HEADERS),
        },
    }
