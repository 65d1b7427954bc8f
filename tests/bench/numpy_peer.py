"""The first peer, numpy: it masks whole columns and gathers what passes.

The matcher's gates and score written down again, exact as long as all gates are on.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain import Policy
from services.matcher.domain.policy import Weights
from services.matcher.domain.ties import Ties
from shared.contracts.common import Benefit, EmploymentType, KeyGroup
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import LIST_SIZE, AnchorKind
from tests.bench.numpy_columns import (
    AROUND,
    NO_END,
    POSTING,
    REMOTE,
    SAME,
    SEEKER,
    UNKNOWN,
    WITHIN,
    Columns,
    Vocabulary,
    Whole,
    bits,
    blank,
    padded,
    taken,
)
from tests.bench.workload import NOW, Workload


class NumpyPeer:
    """Plain scans of columns, with room for so many of each."""

    name = "numpy"
    how = "in process, one thread; bytes of its columns alone, without the map of ids"
    note = ""

    def __init__(self, workload: Workload, policy: Policy, ties: Ties, postings: int, profiles: int) -> None:
        self._codes = Vocabulary(workload, policy, ties)
        self._weights = policy.numbers
        self._columns = {AnchorKind.POSTING: blank(POSTING, postings), AnchorKind.SEEKER: blank(SEEKER, profiles)}
        self._ids = {kind: np.zeros(len(own["remote"]), "S64") for kind, own in self._columns.items()}
        self._rows: dict[str, int] = {}
        self._used = dict.fromkeys(AnchorKind, 0)
        self._currencies: dict[str, int] = {}

    def take_in(self, changed: Iterable[Posting | Profile]) -> None:
        """Write their rows."""
        for one in changed:
            kind = AnchorKind.POSTING if isinstance(one, Posting) else AnchorKind.SEEKER
            row = self._rows.get(one.id)
            if row is None:
                row = self._rows[one.id] = self._used[kind]
                self._ids[kind][row] = one.id.encode()
                self._used[kind] += 1
            columns = self._columns[kind]
            for name, value in (self._posting(one) if isinstance(one, Posting) else self._seeker(one)).items():
                columns[name][row] = value

    def size(self, kind: AnchorKind) -> float:
        """Of the arrays."""
        return sum(column[:1].nbytes for column in (self._ids[kind], *self._columns[kind].values()))

    def top(self, kind: AnchorKind, anchor_id: str) -> list[str]:
        """Gates on whole columns, then place, then points of who is left."""
        by_posting = kind is AnchorKind.POSTING
        other = AnchorKind.SEEKER if by_posting else AnchorKind.POSTING
        own, whole = taken(self._columns[kind], self._rows[anchor_id]), self._columns[other]
        rows = np.flatnonzero(_gates(*((own, whole) if by_posting else (whole, own))))
        others = taken(whole, rows)
        posting, seeker = (own, others) if by_posting else (others, own)
        found = self._place(posting, seeker, by_posting=by_posting)
        unsaid = _place_unknown(posting, seeker, len(self._codes.regions))
        close = self._closeness(posting, seeker, by_posting=by_posting)
        required = self._has(posting["required"], seeker["skills"], by_posting=by_posting)
        preferred = self._has(posting["preferred"], seeker["skills"], by_posting=by_posting)
        way = self._way(posting, seeker, by_posting=by_posting)
        points = _points(posting, seeker, (found, unsaid, way, close, required, preferred), self._weights)
        fits = (found != 0) | unsaid
        common = (close > 0) | (required > 0) | (preferred > 0)
        kept = np.flatnonzero(fits & common & (points >= self._weights.minimum))
        if kept.size > LIST_SIZE:
            last = np.partition(points[kept], -LIST_SIZE)[-LIST_SIZE]
            kept = kept[points[kept] >= last]
        ids = self._ids[other][rows[kept]]
        order = np.lexsort((ids, -points[kept]))[:LIST_SIZE]
        return [name.decode() for name in ids[order].tolist()]

    def _place(self, posting: Columns, seeker: Columns, *, by_posting: bool) -> Whole:
        """Bits by counterpart."""
        lies = self._codes.lies
        remote = (posting["remote"] == 1) & (seeker["remote"] == 1)
        if by_posting:
            near = np.bitwise_or.reduce(lies[posting["regions"]])
            found = np.bitwise_or.reduce(near[seeker["regions"]], axis=1)
        else:
            near = np.bitwise_or.reduce(lies[:, seeker["regions"]], axis=1)
            found = np.bitwise_or.reduce(near[posting["regions"]], axis=1)
        bits: Whole = found | np.where(remote, REMOTE, 0)
        return bits

    def _way(self, posting: Columns, seeker: Columns, *, by_posting: bool) -> Whole:
        """Points for the way to the nearest of the posting's regions; UNKNOWN."""
        ways = self._codes.ways
        if by_posting:
            best: Whole = ways[posting["regions"]].max(axis=0)[seeker["lives_in"]]
        else:
            best = ways[:, seeker["lives_in"]][posting["regions"]].max(axis=1)
        return best

    def _closeness(self, posting: Columns, seeker: Columns, *, by_posting: bool) -> Whole:
        """In millionths; UNKNOWN if the occupations cannot be compared."""
        wanted, close = seeker["occupations"], self._codes.close
        factors = np.full(wanted.shape[-1], self._weights.later)
        factors[0] = 1000
        permille = close[posting["occupation"]][wanted] if by_posting else close[:, wanted]
        best: Whole = np.where(permille == UNKNOWN, UNKNOWN, permille * factors).max(axis=1)
        return best if by_posting else best[posting["occupation"]]

    def _has(self, asked: Whole, had: Whole, *, by_posting: bool) -> Whole:
        """Weights of the skills asked for, times the permille to which they are had, summed, by counterpart."""
        weights = self._codes.weights
        total: Whole = np.zeros(1, np.int64)
        if not by_posting:
            total = (weights * self._codes.credited[had].max(axis=0))[asked].sum(axis=1)
        elif self._codes.related:
            for skill in asked:
                total = total + weights[skill] * self._codes.credit[skill][had].max(axis=1).astype(np.int64)
        else:
            worth = np.zeros_like(weights)
            worth[asked] = 1000 * weights[asked]
            total = worth[had].sum(axis=1)
        return total

    def _shared(self, one: Posting | Profile) -> dict[str, object]:
        return {
            "education": 0 if one.education is None else one.education.level,
            "experience": UNKNOWN if one.experience_months is None else one.experience_months,
            "remote": UNKNOWN if one.remote is None else int(one.remote),
            "key_groups": bits(tuple(KeyGroup), one.key_groups),
            "regions": padded(self._codes.regions, one.regions, 4),
        }

    def _posting(self, one: Posting) -> dict[str, object]:
        codes, pay = self._codes, one.pay
        required = list(dict.fromkeys(skill.key for skill in one.required_skills))
        preferred = [key for key in dict.fromkeys(skill.key for skill in one.preferred_skills) if key not in required]
        numbers = [[codes.skills[key] for key in keys] for keys in (required, preferred)]
        none, weights = len(codes.skills), codes.weights
        return self._shared(one) | {
            "until": NO_END if one.valid_through is None else int(one.valid_through.timestamp() * 1e6),
            "pay_min": UNKNOWN if pay is None or pay.min is None else pay.min,
            "pay_max": UNKNOWN if pay is None or pay.max is None else pay.max,
            "currency": UNKNOWN if pay is None else self._currency(pay.currency),
            "employment": 0 if one.employment_type is None else bits(tuple(EmploymentType), (one.employment_type,)),
            "licences": sum({1 << codes.licences[licence.key] for licence in one.licences}),
            "benefits": bits(tuple(Benefit), one.benefits),
            "occupation": codes.occupations[one.occupation.key] if one.occupation else len(codes.occupations),
            "required": numbers[0] + [none] * (10 - len(required)),
            "preferred": numbers[1] + [none] * (10 - len(preferred)),
            "required_weight": sum(int(weights[skill]) for skill in numbers[0]),
            "preferred_weight": sum(int(weights[skill]) for skill in numbers[1]),
        }

    def _seeker(self, one: Profile) -> dict[str, object]:
        codes, floor = self._codes, one.pay_floor
        return self._shared(one) | {
            "floor": UNKNOWN if floor is None else floor.amount,
            "currency": UNKNOWN if floor is None else self._currency(floor.currency),
            "employment": bits(tuple(EmploymentType), one.employment_types),
            # who did not say has all of them: that passes, and licences earn no points
            "licences": -1 if one.licences is None else sum({1 << codes.licences[own.key] for own in one.licences}),
            "benefits": bits(tuple(Benefit), one.benefits_needed),
            "lives_in": codes.regions[one.lives_in.key] if one.lives_in else len(codes.regions),
            "occupations": padded(codes.occupations, one.occupations, 3),
            "skills": padded(codes.skills, one.skills, 20),
        }

    def _currency(self, code: str) -> int:
        return self._currencies.setdefault(code, len(self._currencies))


def _gates(posting: Columns, seeker: Columns) -> NDArray[np.bool_]:
    """Who passes all but the region."""
    months, floor = posting["experience"], seeker["floor"]
    least, kinds = posting["education"], posting["employment"] & seeker["employment"]
    passed: NDArray[np.bool_] = (
        (posting["until"] > int(NOW.timestamp() * 1e6))
        & ((least == 0) | (seeker["education"] == 0) | (seeker["education"] >= least))
        & ((months == UNKNOWN) | (seeker["experience"] == UNKNOWN) | (seeker["experience"] >= months))
        & ((posting["employment"] == 0) | (seeker["employment"] == 0) | (kinds != 0))
        & (~_pay_known(posting, seeker) | (np.maximum(posting["pay_min"], posting["pay_max"]) >= floor))
        & (posting["licences"] & ~seeker["licences"] == 0)
    )
    return passed


def _pay_known(posting: Columns, seeker: Columns) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = (
        (posting["currency"] != UNKNOWN)
        & (posting["currency"] == seeker["currency"])
        & ((posting["pay_max"] != UNKNOWN) | (posting["pay_min"] >= seeker["floor"]))
    )
    return known


def _place_unknown(posting: Columns, seeker: Columns, none: int) -> Whole:
    """Whether a missing fact could still make the place fit."""
    unsaid: Whole = (
        (posting["regions"][..., 0] == none)
        | (seeker["regions"][..., 0] == none)
        | ((posting["remote"] == 1) & (seeker["remote"] == UNKNOWN))
    )
    return unsaid


def _points(
    posting: Columns, seeker: Columns, common: tuple[Whole, Whole, Whole, Whole, Whole, Whole], weights: Weights
) -> Whole:
    """`common`: bits of the place, whether it is unknown, points for the way, closeness, required and preferred."""
    found, unsaid, way, close, required, preferred = common
    half = weights.experience // 2
    above = np.minimum(seeker["experience"] - posting["experience"], weights.experience_span)
    no_months = (posting["experience"] == UNKNOWN) | (seeker["experience"] == UNKNOWN)
    needed, given = np.bitwise_count(seeker["benefits"]), np.bitwise_count(posting["benefits"] & seeker["benefits"])
    some = weights.benefits // 2
    total: Whole = (
        np.where(close == UNKNOWN, weights.occupation // 2, weights.occupation * close // 1_000_000)
        + _share(weights.required, required, posting["required_weight"])
        + _share(weights.preferred, preferred, posting["preferred_weight"])
        + np.where((posting["education"] == 0) | (seeker["education"] == 0), weights.education // 2, weights.education)
        + np.where(no_months, half, half + half * above.astype(np.int64) // weights.experience_span)
        + _place_points(found, unsaid, way, weights)
        + _pay_points(posting, seeker, weights)
        + some
        + np.where(needed == 0, 0, some * given.astype(np.int64) // np.maximum(needed, 1))
        + np.where(posting["key_groups"] & seeker["key_groups"] != 0, weights.key_group, 0)
    )
    return total


def _share(maximum: int, part: Whole, whole: Whole) -> Whole:
    wholly = np.maximum(1000 * whole.astype(np.int64), 1)
    return np.where(whole == 0, maximum // 2, maximum * part // wholly)


def _place_points(found: Whole, unsaid: Whole, way: Whole, weights: Weights) -> Whole:
    ways = {
        SAME: weights.place_same,
        WITHIN: weights.place_within,
        AROUND: weights.place_around,
        REMOTE: weights.place_remote,
    }
    best: Whole = np.where(unsaid & (found == 0), weights.place_unknown, 0)
    for bit, worth in ways.items():
        best = np.maximum(best, np.where(found & bit != 0, worth, 0))
    neutral = (way == UNKNOWN) | (found & REMOTE != 0)
    best = best + np.where(neutral, np.maximum(way, weights.way_unknown), way)
    return best.clip(max=weights.place)


def _pay_points(posting: Columns, seeker: Columns, weights: Weights) -> Whole:
    half = weights.pay // 2
    floor = seeker["floor"].astype(np.int64)
    low = np.where(posting["pay_min"] == UNKNOWN, posting["pay_max"], posting["pay_min"])
    high = np.where(posting["pay_max"] == UNKNOWN, posting["pay_min"], posting["pay_max"])
    above = (low + high - 2 * floor) * half * 100 // np.maximum(2 * floor * weights.pay_span, 1)
    points = np.where(floor == 0, weights.pay, np.clip(half + above, 0, weights.pay))
    return np.where(_pay_known(posting, seeker), points, half)
