"""Two policies over one world: both answers for each anchor, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from itertools import starmap
from typing import Final, NamedTuple

from services.matcher.domain import Index, Judgement
from services.matcher.domain.policy import Policy
from shared.contracts.common import Code
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind
from shared.regions import ancestors, canonical

Ranked = tuple[tuple[str, int], ...]
"""One list: counterparts' ids and points, best first."""
Answers = Mapping[AnchorKind, Mapping[str, Ranked]]
"""By kind and id of the anchor."""

OVERLAPS: Final = ("0 %", "1-24 %", "25-49 %", "50-74 %", "75-99 %", "100 %")
NO_GROUP: Final = "no key group"
UNKNOWN: Final = "unknown"


class Traits(NamedTuple):
    """What shares are counted by."""

    groups: tuple[str, ...]
    """A seeker's key groups; none of a posting's."""
    area: str
    """A posting's first region, or where a seeker lives: the part of the country that it lies in."""


class Pair(NamedTuple):
    """Somebody and a posting, judged by both policies."""

    why: str
    posting: str
    seeker: str
    before: Judgement
    after: Judgement


class Shift(NamedTuple):
    """On how many lists somebody (or something) stands."""

    id: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What becomes of the lists of one kind of anchor. `before` and `after` are always in this order."""

    kind: AnchorKind
    lists: int
    changed: int
    """Lists with other entries, in whatever order."""
    empty: tuple[int, int]
    entries: tuple[int, int]
    won: int
    """Entries that come,"""
    lost: int
    """and that go."""
    overlaps: tuple[int, ...]
    """Lists by overlap@20 in the steps of OVERLAPS: what both hold of what the longer one holds; two empty
    lists are the same."""
    points: tuple[tuple[int, ...], tuple[int, ...]]
    """Of all entries, ascending."""
    shifts: tuple[Shift, ...]
    """Counterparts that stand on more or fewer lists, the greatest gain first."""
    groups: dict[str, tuple[int, int]]
    """Entries by key group of the seeker, be it the anchor or the entry; one in several groups counts in each."""
    areas: dict[str, tuple[int, int]]
    """Entries by the area of the counterpart."""


@dataclass
class Counts:
    """One policy's entries, counted."""

    appearances: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    areas: Counter[str] = field(default_factory=Counter)
    points: list[int] = field(default_factory=list)


def traits_of(model: Posting | Profile) -> Traits:
    """What shares are counted by, of a posting or a profile."""
    if isinstance(model, Posting):
        return Traits((), _area(model.regions))
    return Traits(
        tuple(group.value for group in model.key_groups), _area((model.lives_in,) if model.lives_in else model.regions)
    )


def _area(regions: Sequence[Code]) -> str:
    """The largest region below the country that the first of them lies in."""
    if not regions:
        return UNKNOWN
    way = [canonical(regions[0].key), *ancestors(regions[0].key)]
    return way[max(0, len(way) - 2)]


def sample(ids: Iterable[str], most: int | None) -> list[str]:
    """So many of them, or all for None: by a hash, so that the same are chosen again."""
    ordered = sorted(ids, key=lambda one: blake2b(one.encode(), digest_size=8).digest())
    return sorted(ordered[:most])


def answers(index: Index, anchors: Mapping[AnchorKind, Sequence[str]], now: datetime) -> Answers:
    """The lists of these anchors under the index's present policy."""
    return {
        kind: {one: tuple((entry.id, entry.points) for entry in index.top(kind, one, now)) for one in ids}
        for kind, ids in anchors.items()
    }


def compare(
    kind: AnchorKind, before: Mapping[str, Ranked], after: Mapping[str, Ranked], traits: Mapping[str, Traits]
) -> Comparison:
    """Both answers for the same anchors. `traits`: of all postings and seekers."""
    overlaps = Counter(_step(before[anchor], after[anchor]) for anchor in before)
    gone = {anchor: len(_ids(before[anchor]) - _ids(after[anchor])) for anchor in before}
    come = {anchor: len(_ids(after[anchor]) - _ids(before[anchor])) for anchor in before}
    old, new = _count(kind, before, traits), _count(kind, after, traits)
    return Comparison(
        kind=kind,
        lists=len(before),
        changed=sum(bool(gone[anchor] or come[anchor]) for anchor in before),
        empty=(sum(not found for found in before.values()), sum(not found for found in after.values())),
        entries=(len(old.points), len(new.points)),
        won=sum(come.values()),
        lost=sum(gone.values()),
        overlaps=tuple(overlaps[step] for step in range(len(OVERLAPS))),
        points=(tuple(sorted(old.points)), tuple(sorted(new.points))),
        shifts=tuple(sorted(_shifts(old.appearances, new.appearances), key=lambda s: (s.before - s.after, s.id))),
        groups=_both(old.groups, new.groups),
        areas=_both(old.areas, new.areas),
    )


def _ids(ranked: Ranked) -> set[str]:
    return {one for one, _ in ranked}


def _step(before: Ranked, after: Ranked) -> int:
    longer = max(len(before), len(after))
    shared = len(_ids(before) & _ids(after))
    if shared == longer:
        return len(OVERLAPS) - 1
    return 0 if shared == 0 else 1 + 4 * shared // longer


def _count(kind: AnchorKind, lists: Mapping[str, Ranked], traits: Mapping[str, Traits]) -> Counts:
    counts = Counts()
    for anchor, ranked in lists.items():
        for one, points in ranked:
            seeker = one if kind is AnchorKind.POSTING else anchor
            counts.appearances[one] += 1
            counts.groups.update(traits[seeker].groups or (NO_GROUP,))
            counts.areas[traits[one].area] += 1
            counts.points.append(points)
    return counts


def _shifts(before: Counter[str], after: Counter[str]) -> Iterator[Shift]:
    for one in before.keys() | after.keys():
        if before[one] != after[one]:
            yield Shift(one, before[one], after[one])


def _both(before: Counter[str], after: Counter[str]) -> dict[str, tuple[int, int]]:
    names = sorted(before.keys() | after.keys(), key=lambda name: (-before[name], -after[name], name))
    return {name: (before[name], after[name]) for name in names}


def telling(before: Answers, after: Answers) -> list[tuple[str, str, str]]:
    """A few pairs (why, posting, seeker) that show what the change does, of either kind of lists.

    The best that goes, the best that comes, and of what stays the one whose points change most.
    """
    found = []
    for kind in AnchorKind:
        choices = {
            f"goes from the {kind.value}'s list": starmap(_leaver, _lists(before[kind], after[kind])),
            f"comes onto the {kind.value}'s list": starmap(_leaver, _lists(after[kind], before[kind])),
            f"stays on the {kind.value}'s list": starmap(_mover, _lists(before[kind], after[kind])),
        }
        for why, candidates in choices.items():
            best = max((one for one in candidates if one is not None), default=None)
            if best is not None:
                _, anchor, other = best
                pair = (anchor, other) if kind is AnchorKind.POSTING else (other, anchor)
                found.append((why, *pair))
    return found


def _lists(one: Mapping[str, Ranked], other: Mapping[str, Ranked]) -> Iterator[tuple[str, Ranked, Ranked]]:
    return ((anchor, ranked, other[anchor]) for anchor, ranked in one.items())


def _leaver(anchor: str, ranked: Ranked, other: Ranked) -> tuple[int, str, str] | None:
    """Points, anchor and counterpart of the best that the other list does not hold."""
    kept = _ids(other)
    return next(((points, anchor, one) for one, points in ranked if one not in kept), None)


def _mover(anchor: str, ranked: Ranked, other: Ranked) -> tuple[int, str, str] | None:
    """The same, of the one on both lists whose points differ most."""
    points = dict(other)
    moves = [(abs(points[one] - own), anchor, one) for one, own in ranked if points.get(one, own) != own]
    return max(moves, default=None)


def explained(
    index: Index, pairs: Sequence[tuple[str, str, str]], policies: tuple[Policy, Policy], now: datetime
) -> list[Pair]:
    """Each pair judged by both policies; leaves the index under the second."""
    judged = []
    for policy in policies:
        index.adopt(policy)
        judged.append([index.judge(posting, seeker, now) for _, posting, seeker in pairs])
    return [
        Pair(*pair, before, after)
        for pair, before, after in zip(pairs, judged[0], judged[1], strict=True)
        if before is not None and after is not None
    ]
