"""The declared topics keep what the design promises: forgetting, room for dead letters, equal partitions."""

from pathlib import Path

import pytest

from shared.broker import MAX_RECORD_BYTES
from shared.contracts.registry import POSTING_LISTS, POSTINGS, PROFILES, SEEKER_LISTS
from shared.settings import ServiceSettings
from shared.topics import Topic, declared, delete_retention_ms, partitions

SETTINGS = ServiceSettings()
FIXED, FAMILIES = declared(SETTINGS.topics_file)
DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
CLEANING_MS = DAY_MS
"""Room for the cleaner's own pauses."""


def of(cleanup: str) -> list[Topic]:
    return [topic for topic in (*FIXED, *FAMILIES) if topic.config["cleanup.policy"] == cleanup]


@pytest.mark.parametrize("topic", of("compact"), ids=lambda topic: topic.name)
def test_what_is_erased_is_gone_from_state_topics_within_a_week(topic: Topic):
    lag, segment = int(topic.config["max.compaction.lag.ms"]), int(topic.config["segment.ms"])
    assert lag + segment + CLEANING_MS <= WEEK_MS
    assert int(topic.config["min.compaction.lag.ms"]) <= lag
    # a reader that is so long behind must still see that something was erased
    assert int(topic.config["delete.retention.ms"]) >= 2 * DAY_MS


def test_dead_letters_are_gone_after_six_days():
    for topic in FIXED:
        if topic.name.endswith(".dead"):
            assert int(topic.config["retention.ms"]) + int(topic.config["segment.ms"]) <= 6 * DAY_MS


def test_a_dead_letter_has_room_for_the_greatest_record_and_the_reason():
    greatest = max(int(t.config["max.message.bytes"]) for t in (*FIXED, *FAMILIES) if not t.name.endswith(".dead"))
    assert greatest == MAX_RECORD_BYTES
    for topic in FIXED:
        if topic.name.endswith(".dead"):
            assert int(topic.config["max.message.bytes"]) >= greatest + 64 * 1024


def test_lists_have_as_many_partitions_as_their_anchors():
    assert partitions(SETTINGS, POSTING_LISTS) == partitions(SETTINGS, POSTINGS)
    assert partitions(SETTINGS, SEEKER_LISTS) == partitions(SETTINGS, PROFILES)


def test_a_partners_records_stay_in_order():
    assert {topic.partitions for topic in FAMILIES} == {1}
    assert all("{partner}" in topic.name for topic in FAMILIES)


def test_how_long_tombstones_are_kept_is_read_from_the_declaration():
    assert delete_retention_ms(SETTINGS, PROFILES) == 2 * DAY_MS


def test_a_topics_own_settings_win_over_its_kinds(tmp_path: Path):
    file = tmp_path / "topics.toml"
    file.write_text(
        """
        [kinds.state]
        "cleanup.policy" = "compact"
        "segment.ms" = 5

        [[topics]]
        name = "a.v1"
        kind = "state"
        partitions = 3
        config = { "segment.ms" = 7 }
        """,
        "utf-8",
    )
    assert declared(file) == ([Topic("a.v1", 3, {"cleanup.policy": "compact", "segment.ms": "7"})], [])
