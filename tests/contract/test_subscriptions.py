"""A service, put together as in production, subscribes to what the registry says, and to nothing else."""

import re
from pathlib import Path

import pytest

from deploy.contracts import application
from shared.contracts.generate import SERVICES
from shared.contracts.registry import (
    CHANNELS,
    PARTNER_POSTINGS,
    PARTNER_POSTINGS_PATTERN,
    Party,
    channel,
)

Subscriptions = dict[str, tuple[set[str], str | None]]


def registered(service: Party) -> Subscriptions:
    wanted: Subscriptions = {}
    for one in CHANNELS:
        for group in one.consumers.get(service, ()):
            topics, pattern = wanted.setdefault(group, (set(), None))
            if one.topic == PARTNER_POSTINGS:
                pattern = PARTNER_POSTINGS_PATTERN
            else:
                topics.add(one.topic)
            wanted[group] = (topics, pattern)
    return wanted


@pytest.mark.parametrize("service", SERVICES)
def test_subscriptions_are_the_registrys(service: Party, tmp_path: Path):
    running = application(service, tmp_path).state.service.subscriptions()
    assert {group: (set(topics), pattern) for group, (topics, pattern) in running.items()} == registered(service)


@pytest.mark.parametrize(
    ("topic", "taken"),
    [
        ("partner.chongqing.postings.v1", True),
        ("partner.a-1.postings.v1", True),
        ("partner.chongqing.receipts.v1", False),
        ("partner.chongqing.postings.v2", False),
        ("partner.CQ.postings.v1", False),
        ("partner.a.b.postings.v1", False),
        ("partner..postings.v1", False),
        ("xpartner.a.postings.v1", False),
        ("partner.a.postings.v1.dead", False),
        ("postings.v1", False),
    ],
)
def test_the_pattern_takes_partner_topics_and_the_registry_knows_them(topic: str, *, taken: bool):
    assert (re.match(PARTNER_POSTINGS_PATTERN, topic) is not None) == taken
    if taken:
        assert channel(topic).topic == PARTNER_POSTINGS
