"""What the matcher is measured beside: one interface."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind


class Peer(Protocol):
    """Something that holds postings and profiles, and finds the best for one of them."""

    name: str
    how: str
    """In process or over a socket, what it works with, and what its bytes are."""
    note: str
    """What of the real score it leaves out; empty if nothing."""

    def take_in(self, changed: Iterable[Posting | Profile]) -> None:
        """New ones and new versions; the next question sees them."""

    def top(self, kind: AnchorKind, anchor_id: str) -> list[str]:
        """Ids of the best counterparts of an anchor that it holds, as of NOW, best first."""

    def size(self, kind: AnchorKind) -> float:
        """Bytes of one posting, or of one profile."""
