"""AsyncAPI documents: whole in themselves, and the same as the registry and the topics file."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.contracts import FOLDER
from deploy.servers import PROJECT
from shared.contracts.envelope import TOMBSTONE, event_headers, family
from shared.contracts.generate import SERVICES
from shared.contracts.registry import CHANNELS, Channel, Party
from shared.dead_letters import dead_letter_topic
from shared.topics import declared

FIXED, FAMILIES = declared(PROJECT / "deploy" / "topics.toml")
TOPICS = {topic.name: topic for topic in (*FIXED, *FAMILIES)}


def document(service: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((FOLDER / "asyncapi" / f"{service}.json").read_text("utf-8"))


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@pytest.mark.parametrize("service", SERVICES)
def test_every_reference_leads_somewhere(service: str):
    whole = document(service)
    found = set(references(whole))
    assert found
    for reference in found:
        if not reference.startswith("#/"):
            assert (FOLDER / "asyncapi" / reference).resolve().is_file(), reference
            continue
        node = whole
        for part in reference[2:].split("/"):
            node = node[part]


@pytest.mark.parametrize("service", SERVICES)
def test_operations_are_those_of_the_registry(service: Party):
    whole = document(service)
    sent, received = set(), set()
    for operation in whole["operations"].values():
        channel = whole["channels"][operation["channel"]["$ref"].rpartition("/")[2]]
        assert {ref["$ref"].rpartition("/")[2] for ref in operation["messages"]} == set(channel["messages"])
        if operation["action"] == "send":
            sent.add(channel["address"])
        else:
            groups = operation.get("bindings", {}).get("kafka", {}).get("groupId", {}).get("enum", [""])
            received |= {(channel["address"], group) for group in groups}
    listens = {
        (channel.topic, group)
        for channel in CHANNELS
        if service in channel.consumers
        for group in channel.consumers[service] or ("",)
    }
    publishes = {channel.topic for channel in CHANNELS if service in channel.publishers}
    assert received == listens
    assert sent == publishes | {dead_letter_topic(group) for _, group in listens if group}


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.topic)
def test_a_channel_carries_the_registrys_events_in_the_declared_topic(channel: Channel):
    for service in {*channel.publishers, *channel.consumers} & set(SERVICES):
        described = document(service)["channels"][family(channel.topic)]
        assert set(described["messages"]) == {*channel.models, *([TOMBSTONE] if channel.state else [])}
        kafka = described["bindings"]["kafka"]
        assert kafka["partitions"] == TOPICS[channel.topic].partitions
        config = {name: str(value) for name, value in kafka["topicConfiguration"].items()}
        config["cleanup.policy"] = ",".join(kafka["topicConfiguration"]["cleanup.policy"])
        assert config == TOPICS[channel.topic].config


def test_the_headers_that_are_promised_are_those_that_are_written():
    written = event_headers(
        source="urn:service:postings",
        event_type="PostingClosed",
        subject="p-1",
        topic_family="postings.v1",
        version=3,
    )
    message = document("postings")["components"]["messages"]["postings.v1.PostingClosed"]
    promised = message["headers"]
    assert set(promised["required"]) == set(written)
    for name, rule in promised["properties"].items():
        assert written.get(name) == rule.get("const", written.get(name))


def test_every_channel_and_dead_letter_topic_is_declared():
    groups = {group for channel in CHANNELS for own in channel.consumers.values() for group in own}
    assert {channel.topic for channel in CHANNELS} | {dead_letter_topic(group) for group in groups} == set(TOPICS)
