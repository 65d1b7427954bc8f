"""What could be otherwise: the nearest change that opens a gate of a pair, and the changes worth trying for many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import FIRST_REGION, UNKNOWN
from services.matcher.domain.facts import EMPLOYMENT_BITS
from services.matcher.domain.gates import EDUCATION, EMPLOYMENT, EXPERIENCE, PAY, REGION
from services.matcher.domain.members import LENGTH
from shared.contracts.common import Education
from shared.contracts.recommendations import AnchorKind
from shared.regions import DEEPEST

if TYPE_CHECKING:
    from services.matcher.domain.index import Index
    from services.matcher.domain.side import Side

What = Literal["pay", "experience", "education", "employment_type", "licences", "region", "remote", "skills"]

MOST_PAY: Final = 10_000_000
MOST_MONTHS: Final = 720
"""As in `shared.contracts.common`."""
PAY_UNITS: Final = (1, 2, 3, 5, 10, 20)
MONTHS: Final = (6, 12, 24, 36, 60)
MOST_REGIONS: Final = 32
"""That are tried for a posting."""
LEVELS: Final = list(Education)


@dataclass(frozen=True, slots=True)
class Change:
    """One fact of a posting or a seeker that would be another."""

    of: AnchorKind
    what: What
    """A gate; `remote` opens that of the region; `skills` is none."""
    names: tuple[str, ...] = ()
    """Codes (`scheme:code`) that come to it, or licences that a posting no longer asks for; or the new level of
    education or type of contract."""
    to: int | None = None
    """Whole units of pay a month (the upper end of a posting's, a seeker's least), or months of experience."""
    by: int = 0
    """How far that is from what it is; 0 for what is no amount."""
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A change of an anchor, and how its row would differ."""

    change: Change
    gate: int
    """The bit of the gate that compares it."""
    fields: Mapping[str, int] = field(default_factory=dict)
    region: int = UNKNOWN
    """A region that a posting has besides."""


def nearest(index: Index, posting_id: str, seeker_id: str, failed: Sequence[str]) -> tuple[Change, ...]:
    """For each gate that failed the least change of the posting, and of the seeker, that opens this gate.

    None for what is closed, over, inactive or without consent. Pay and experience meet exactly; of regions it is
    one of the other side's, with which most regions around it are shared, and the first in its order.
    """
    index.flush()
    posting, seeker = index.postings.row_of.get(posting_id), index.seekers.row_of.get(seeker_id)
    if posting is None or seeker is None:
        return ()
    work, person = _facts(index.postings, posting), _facts(index.seekers, seeker)
    found: list[Change] = []
    for gate in failed:
        match gate:
            case "pay":
                pay = max(work["pay_min"], work["pay_max"])
                found += _both("pay", person["pay_floor"], pay, _currency(work["currency"]))
            case "experience":
                found += _both("experience", person["experience"], work["experience"])
            case "education":
                found += [
                    Change(AnchorKind.POSTING, "education", (_level(person["education"]),)),
                    Change(AnchorKind.SEEKER, "education", (_level(work["education"]),)),
                ]
            case "employment_type":
                found += [
                    Change(AnchorKind.POSTING, "employment_type", _types(person["employment"])[:1]),
                    Change(AnchorKind.SEEKER, "employment_type", _types(work["employment"])),
                ]
            case "licences":
                has = _licences(index.seekers, seeker)
                lacking = [code for code in _licences(index.postings, posting) if code not in has]
                names = tuple(index.licences.keys[code] for code in lacking)
                found += [Change(kind, "licences", names) for kind in AnchorKind]
            case "region":
                found += _places(index, posting, seeker)
    return tuple(found)


def trials(index: Index, kind: AnchorKind, row: int, gates: int) -> list[Trial]:
    """What the anchor could do behind the gates that are on, each kind from the least step on.

    A posting: more pay, in round steps of up to a half; less experience; a lower level of education; another type
    of contract; remote work; a region around one of its own, or beside it in the same region (at most MOST_REGIONS,
    where most people would work). A seeker: the same the other way, and one more type of contract; regions are
    counted by code. Nothing is tried where nothing is asked or known: that shuts nobody out.
    """
    own = _facts(index.postings if kind is AnchorKind.POSTING else index.seekers, row)
    made = [*_pay(kind, own), *_experience(kind, own), *_education(kind, own), *_employment(kind, own)]
    if own["regions"]:
        if own["remote"] != 1:
            made.append(Trial(Change(kind, "remote"), REGION, {"remote": 1}))
        if kind is AnchorKind.POSTING:
            names = index.regions.keys
            made += [Trial(Change(kind, "region", (names[one],)), REGION, region=one) for one in _beside(index, row)]
    return [trial for trial in made if trial.gate & gates]


def _pay(kind: AnchorKind, own: Mapping[str, int]) -> Iterator[Trial]:
    name, sign = ("pay_max", 1) if kind is AnchorKind.POSTING else ("pay_floor", -1)
    for step in pay_steps(own[name]):
        to = own[name] + sign * step
        if to <= MOST_PAY:
            yield Trial(Change(kind, "pay", to=to, by=step, currency=_currency(own["currency"])), PAY, {name: to})


def _experience(kind: AnchorKind, own: Mapping[str, int]) -> Iterator[Trial]:
    months = own["experience"]
    sign, room = (-1, months) if kind is AnchorKind.POSTING else (1, MOST_MONTHS - months)
    if months != UNKNOWN:
        for step in sorted({min(step, room) for step in MONTHS} - {0}):
            to = months + sign * step
            yield Trial(Change(kind, "experience", to=to, by=step), EXPERIENCE, {"experience": to})


def _education(kind: AnchorKind, own: Mapping[str, int]) -> Iterator[Trial]:
    level = own["education"]
    if level:
        others = range(level - 1, 0, -1) if kind is AnchorKind.POSTING else range(level + 1, len(LEVELS) + 1)
        for other in others:
            yield Trial(Change(kind, "education", (_level(other),)), EDUCATION, {"education": other})


def _employment(kind: AnchorKind, own: Mapping[str, int]) -> Iterator[Trial]:
    has = own["employment"]
    if has:
        for other, bit in EMPLOYMENT_BITS.items():
            if not bit & has:
                bits = bit if kind is AnchorKind.POSTING else has | bit
                yield Trial(Change(kind, "employment_type", (other.value,)), EMPLOYMENT, {"employment": bits})


def pay_steps(amount: int) -> list[int]:
    """Round steps of up to a half: 1, 2, 3, 5, 10, 20 times the power of ten of which there are 20 to 199.

    100, 200, 300, 500, 1,000 and 2,000 for 7,000.
    """
    unit = 1
    while amount >= 200 * unit:
        unit *= 10
    return [times * unit for times in PAY_UNITS if 2 * times * unit <= amount]


def _both(what: What, person: int, work: int, currency: str | None = None) -> list[Change]:
    """Either side comes to where the other is."""
    by = abs(person - work)
    return [
        Change(AnchorKind.POSTING, what, to=person, by=by, currency=currency),
        Change(AnchorKind.SEEKER, what, to=work, by=by, currency=currency),
    ]


def _places(index: Index, posting: int, seeker: int) -> list[Change]:
    """Whoever does not exclude remote work can be reached by it."""
    works, wishes = _regions(index.postings, posting), _regions(index.seekers, seeker)
    ways = index.regions.table
    work, wish = max(
        product(works, wishes),
        key=lambda pair: int((ways[pair[0], :DEEPEST] == ways[pair[1], :DEEPEST]).cumprod().sum()),
    )
    found = [
        Change(AnchorKind.POSTING, "region", (index.regions.keys[wish],)),
        Change(AnchorKind.SEEKER, "region", (index.regions.keys[work],)),
    ]
    if index.postings.columns.rows[posting]["remote"]:
        found.append(Change(AnchorKind.SEEKER, "remote"))
    elif index.seekers.columns.rows[seeker]["remote"]:
        found.append(Change(AnchorKind.POSTING, "remote"))
    return found


def _beside(index: Index, row: int) -> list[int]:
    """Regions that contain one of the posting's, then those beside one, where most people would work first."""
    own, ways = _regions(index.postings, row), index.regions.table
    depths = ways[:, DEEPEST]
    around, beside = [], set()
    for region in own:
        depth = int(depths[region])
        if depth > 0:
            parent = int(ways[region, depth - 1])
            around.append(parent)
            siblings: NDArray[np.int64] = np.flatnonzero((depths == depth) & (ways[:, depth - 1] == parent))
            beside.update(siblings.tolist())
    lists = index.seekers.columns.lists

    def wanted(region: int) -> int:
        return int(lists[FIRST_REGION + region, LENGTH]) if FIRST_REGION + region < len(lists) else 0

    ordered = [*dict.fromkeys(around), *sorted(beside, key=lambda region: (-wanted(region), region))]
    inside = {one for one in ordered if any(ways[one, int(depths[region])] == region for region in own)}
    return [one for one in ordered if one not in inside][:MOST_REGIONS]


def _facts(side: Side, row: int) -> dict[str, int]:
    return dict(zip(side.dtype.names or (), side.columns.rows[row].tolist(), strict=True))


def _regions(side: Side, row: int) -> list[int]:
    at, count = (int(side.columns.rows[row][name]) for name in ("at", "regions"))
    codes: list[int] = (side.columns.codes[at : at + count] - FIRST_REGION).tolist()
    return codes


def _licences(side: Side, row: int) -> list[int]:
    """The last codes of a block."""
    own = _facts(side, row)
    at = own["at"] + 2 * own["lists"] + own["skills"] + own.get("occupations", 0)
    codes: list[int] = side.columns.codes[at : at + own["licences"]].tolist()
    return codes


def _level(level: int) -> str:
    return LEVELS[level - 1].value


def _types(bits: int) -> tuple[str, ...]:
    return tuple(one.value for one, bit in EMPLOYMENT_BITS.items() if bits & bit)


def _currency(number: int) -> str:
    """The letters of `columns.currency`."""
    return "".join(chr(65 + number // place % 26) for place in (676, 26, 1))
