"""The two kinds of failure that handling an event knows (compare `shared.consuming`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(eq=False)
class Rejected(Exception):  # noqa: N818 - the design's own word
    """It will never work: the record goes to the dead letters with this reason, and the rest go on."""

    reason: str
    """For operators, in English; holds no personal data and no body."""
    code: str = "invalid"
    pointer: str = ""
    """JSON pointer into the body, if one field is at fault."""
    stage: str = "VALUE_CONVERTER"
    """Kafka Connect's word for where it failed."""
    limits: Mapping[str, object] = field(default_factory=dict)
    """What the rule allows, by pydantic's names (`ge`, `max_length` …), for the reason in another language."""

    def __str__(self) -> str:
        return f"{self.code} at {self.pointer}: {self.reason}" if self.pointer else f"{self.code}: {self.reason}"


class Unavailable(Exception):  # noqa: N818 - the design's own word
    """Try again: something needed is away. The partition waits and nothing is lost."""
