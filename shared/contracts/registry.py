"""Who publishes and consumes which event on which topic. Documents, subscriptions and tests come from here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from shared.contracts import lists
from shared.contracts.partners import (
    DailyCounts,
    JobPostingPublished,
    JobTechAdPublished,
    MergeReceipt,
    PartnerPostingRemoved,
    PartnerPostingSubmitted,
    PartnerSnapshotBegun,
    PartnerSnapshotEnded,
    PostingReceipt,
    SnapshotReceipt,
)
from shared.contracts.policies import MatchingPolicySet
from shared.contracts.postings import PostingChanged, PostingClosed, PostingPublished
from shared.contracts.profiles import (
    ProfilePaused,
    ProfileRegistered,
    ProfileUpdated,
    ProfileWithdrawn,
)
from shared.contracts.recommendations import RecommendationsRefreshed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shared.contracts.common import Contract
    from shared.contracts.lists import ListBody

Party = Literal["postings", "profiles", "matcher", "notifications", "partner", "operator"]

POSTINGS = "postings.v1"
PROFILES = "profiles.v1"
POSTING_LISTS = "recommendations.postings.v1"
SEEKER_LISTS = "recommendations.seekers.v1"
POLICIES = "policies.v1"
PARTNER_POSTINGS = "partner.{partner}.postings.v1"
PARTNER_RECEIPTS = "partner.{partner}.receipts.v1"
PARTNER_EXCHANGE = "exchange.{partner}.postings.v1"
PARTNER_POSTINGS_PATTERN = r"^partner\.[a-z0-9-]+\.postings\.v1$"


@dataclass(frozen=True, slots=True)
class Channel:
    """One topic, or one family of topics (`{partner}` in its name)."""

    topic: str
    key: str
    """What the record key is."""
    publishers: tuple[Party, ...]
    consumers: dict[Party, tuple[str, ...]]
    """Consumer groups by service; an empty tuple is a reader without a group."""
    events: tuple[type[Contract], ...]
    state: bool
    """True: compacted, whole aggregates with versions, a null body is a tombstone."""
    summary: str = field(default="")
    media_types: Mapping[str, str] = field(default_factory=dict)
    """Event type by the body's media type, for records that do not name their type."""
    schemas: Mapping[str, str] = field(default_factory=dict)
    """Event type by the URI of a schema that others publish."""
    readers: Mapping[str, Callable[[bytes], ListBody]] = field(default_factory=dict)
    """What reads the body of an event type in place of its model, where it matters how long that takes."""

    @property
    def models(self) -> dict[str, type[Contract]]:
        """Event type (`ce_type`) to model."""
        return {model.__name__: model for model in self.events}


_LISTS = {RecommendationsRefreshed.__name__: lists.read}
CHANNELS: tuple[Channel, ...] = (
    Channel(
        PARTNER_POSTINGS,
        "the partner's posting id",
        ("partner",),
        {"postings": ("postings.partners",)},
        (
            PartnerPostingSubmitted,
            PartnerPostingRemoved,
            JobTechAdPublished,
            JobPostingPublished,
            PartnerSnapshotBegun,
            PartnerSnapshotEnded,
        ),
        state=False,
        summary="Postings of a partner region: in our own form, as JobTech ads, or as schema.org job postings.",
        media_types={"application/ld+json": JobPostingPublished.__name__},
        schemas={f"{http}://schema.org/JobPosting": JobPostingPublished.__name__ for http in ("https", "http")},
    ),
    Channel(
        PARTNER_RECEIPTS,
        "the partner's posting id",
        ("postings",),
        {"partner": ()},
        (PostingReceipt, SnapshotReceipt, MergeReceipt, DailyCounts),
        state=False,
        summary="One receipt for each record of a partner, one whenever a posting is merged or parted, counts a day.",
    ),
    Channel(
        PARTNER_EXCHANGE,
        "our posting id",
        ("postings",),
        {"partner": ()},
        (PartnerPostingSubmitted, PartnerPostingRemoved),
        state=False,
        summary="Our postings for a partner's regions, in the form in which partners send theirs, and their removals.",
    ),
    Channel(
        POSTINGS,
        "posting id",
        ("postings",),
        {"matcher": ("matcher.postings",), "notifications": ("notifications.postings",)},
        (PostingPublished, PostingChanged, PostingClosed),
        state=True,
        summary="Every posting, whole.",
    ),
    Channel(
        PROFILES,
        "seeker id",
        ("profiles",),
        {"matcher": ("matcher.profiles",)},
        (ProfileRegistered, ProfileUpdated, ProfilePaused, ProfileWithdrawn),
        state=True,
        summary="Every profile, whole, without anything personal.",
    ),
    Channel(
        POSTING_LISTS,
        "posting id",
        ("matcher",),
        {"notifications": ("notifications.lists",), "matcher": (), "postings": ()},
        (RecommendationsRefreshed,),
        state=True,
        summary="The best seekers for each posting.",
        readers=_LISTS,
    ),
    Channel(
        SEEKER_LISTS,
        "seeker id",
        ("matcher",),
        {"notifications": ("notifications.lists",), "matcher": ()},
        (RecommendationsRefreshed,),
        state=True,
        summary="The best postings for each seeker.",
        readers=_LISTS,
    ),
    Channel(
        POLICIES,
        "the policy's version",
        ("operator",),
        {"matcher": ()},
        (MatchingPolicySet,),
        state=True,
        summary="Every matching policy that was set; the greatest revision holds.",
    ),
)


def channel(topic: str) -> Channel:
    """The channel of a topic's actual name, for example of `partner.chongqing.postings.v1`.

    Raises KeyError if no channel has such a topic.
    """
    for candidate in CHANNELS:
        if candidate.topic == topic:
            return candidate
        if "{partner}" in candidate.topic:
            before, after = candidate.topic.split("{partner}")
            if topic.startswith(before) and topic.endswith(after) and partner_of(topic):
                return candidate
    raise KeyError(topic)


def partner_of(topic: str) -> str:
    """The partner id in `partner.<id>.postings.v1`, `.receipts.v1` or `exchange.<id>.postings.v1`; else empty."""
    parts = topic.split(".")
    return parts[1] if len(parts) == 4 and parts[0] in {"partner", "exchange"} else ""  # noqa: PLR2004 - four parts
