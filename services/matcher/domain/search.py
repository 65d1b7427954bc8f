"""The best counterparts of one anchor, exactly, without scoring most of them. Compiled.

1. Candidates: whoever is in a list of a place that fits (`members`), or everybody where that is nearly all;
   their gate words are tested first, and those who are left pass all gates.
2. For each, everything but the skills is scored, and the skills as if all were there: a bound.
3. Skills are counted from the highest bound down, until no bound reaches the last of the best so far.
"""

# ruff: noqa: FBT001, PLR0913, PLR0917 - kernels take their arrays one by one, and which side asks
from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import (
    EVERYWHERE,
    FIRST_REGION,
    ID_WORDS,
    REMOTE_LIST,
    Columns,
    Related,
    Tables,
)
from services.matcher.domain.compiled import compiled, inlined
from services.matcher.domain.gates import REGION, SWITCHED
from services.matcher.domain.kernels import (
    FITS,
    gates,
    licence_gate,
    most_for_occupation,
    most_of_rows,
    of_codes,
    place_gate,
    score_pair,
    share,
)
from services.matcher.domain.lookups import Lookups, close_bits, credits_of, of_posting, of_seeker
from services.matcher.domain.members import LENGTH, START
from services.matcher.domain.policy import Weights
from services.matcher.domain.prefetch import read_ahead
from services.matcher.domain.questions import (
    Weighed,
    closeness,
    graded,
    licences_shared,
    place_of,
    required_and_preferred,
    skills_wanted,
    way_of,
    weigh_with,
)
from services.matcher.domain.words import employment_bits, guards, may_pass, skill_bits

if TYPE_CHECKING:
    from services.matcher.domain.columns import PostingRow, SeekerRow
    from services.matcher.domain.view import View

ONE: Final = np.uint64(1)
DE_BRUIJN: Final = np.uint64(0x03F79D71B4CB0A89)
"""Each six bits in a row of it, from any place, are others (Leiserson et al., 1998): they tell which bit is set."""
BIT: Final = np.zeros(64, np.int64)
for _place in range(64):
    BIT[((0x03F79D71B4CB0A89 << _place) & (2**64 - 1)) >> 58] = _place
FIRST: Final = 2048
"""So many are looked at first: the last of the best of them is the bar for all others."""
SCAN_ABOVE: Final = 3
"""Everybody is looked at, in the order of memory, when the lists hold more than one in so many."""


class Scratch(NamedTuple):
    """Room for every counterpart, used again by each question."""

    rows: NDArray[np.int32]
    bounds: NDArray[np.int32]
    """Points that nobody's sum exceeds."""
    order: NDArray[np.int32]
    bitmap: NDArray[np.uint64]


def scratch(size: int) -> Scratch:
    """For so many counterparts."""
    rows, bounds, order = (np.zeros(size, np.int32) for _ in range(3))
    return Scratch(rows, bounds, order, np.zeros(size // 64 + 1, np.uint64))


@inlined
def in_place(code: int, near: NDArray[np.int8], remote: bool) -> bool:
    """Whether a membership list is one of those in which the anchor's counterparts are."""
    if code == EVERYWHERE:
        return True
    if code == REMOTE_LIST:
        return remote
    return bool(near[code - FIRST_REGION] & FITS)


@compiled
def by_bound(scratch: Scratch, begin: int, count: int, weights: Weights) -> None:
    """Fill `order`: so many candidates from `begin` on, from the highest bound to the lowest (counting sort)."""
    most = weights.occupation + weights.required + weights.preferred + weights.education + weights.experience
    most += weights.place + weights.pay + weights.benefits + weights.key_group
    begins = np.zeros(most + 2, np.int64)
    for place in range(begin, begin + count):
        begins[most - scratch.bounds[place] + 1] += 1
    for value in range(most + 1):
        begins[value + 1] += begins[value]
    for place in range(begin, begin + count):
        value = most - scratch.bounds[place]
        scratch.order[begins[value]] = place
        begins[value] += 1


@compiled
def comes_before(points: int, row: int, other_points: int, other: int, ids: NDArray[np.uint64]) -> bool:
    """The order of a list: points down, then id up."""
    if points != other_points:
        return points > other_points
    for word in range(ID_WORDS):
        if ids[row, word] != ids[other, word]:
            return bool(ids[row, word] < ids[other, word])
    return False


@compiled
def maybe(
    by_posting: bool,
    anchor: int,
    used: int,
    near: NDArray[np.int8],
    postings: Columns,
    seekers: Columns,
    weights: Weights,
    scratch: Scratch,
) -> int:
    """Fill `rows`, ascending, with those in the right place whose gate words pass; how many they are.

    The lists of the place are marked in a bitmap first: so nobody comes twice, and memory is read in its order.
    There are few branches in the loops, so that the processor waits for many rows at once. `used`: rows of the
    others.
    """
    words = seekers.words if by_posting else postings.words
    lists = seekers.lists if by_posting else postings.lists
    pool = seekers.pool if by_posting else postings.pool
    rows, bitmap = scratch.rows, scratch.bitmap
    kept = guards(weights.gates)
    own_word = postings.words[anchor] if by_posting else seekers.words[anchor]
    types = employment_bits(own_word, weights.gates)
    remote = postings.rows[anchor].remote == 1 if by_posting else seekers.rows[anchor].remote != 0
    placeless = postings.rows[anchor].regions == 0 if by_posting else seekers.rows[anchor].regions == 0
    listed = 0
    for code in range(lists.shape[0]):
        if lists[code, LENGTH] and in_place(code, near, remote):
            listed += lists[code, LENGTH]
    count = 0
    if weights.gates & REGION == 0 or placeless or listed * SCAN_ABOVE > used:
        for row in range(used):
            word = words[row]
            seeker, posting = (word, own_word) if by_posting else (own_word, word)
            rows[count] = row
            count += (word & types != 0) & may_pass(seeker, posting, kept)
        return count
    cells = (used + 63) >> 6
    bitmap[:cells] = 0
    for code in range(lists.shape[0]):
        if lists[code, LENGTH] and in_place(code, near, remote):
            start = lists[code, START]
            for place in range(start, start + lists[code, LENGTH]):
                row = pool[place]
                bitmap[row >> 6] |= ONE << np.uint64(row & 63)
    for cell in range(cells):
        bits = bitmap[cell]
        while bits:
            row = (cell << 6) + BIT[((bits & (~bits + ONE)) * DE_BRUIJN) >> np.uint64(58)]
            bits &= bits - ONE
            word = words[row]
            seeker, posting = (word, own_word) if by_posting else (own_word, word)
            rows[count] = row
            count += (word & types != 0) & may_pass(seeker, posting, kept)
    return count


@compiled
def signs_of(skills: NDArray[np.int32], near: Related) -> NDArray[np.int64]:
    """(n, 2): for each skill of a posting, the bits of itself and of all that count for it in the two words."""
    signs = np.zeros((skills.size, 2), np.int64)
    for place in range(skills.size):
        skill = skills[place]
        signs[place, 0], signs[place, 1] = skill_bits(skill)
        for number in range(credits_of(skill, near)):
            one, other = skill_bits(near.others[near.starts[skill] + number])
            signs[place, 0] |= one
            signs[place, 1] |= other
    return signs


@compiled
def most_of_skills(
    skills: NDArray[np.int32], posting: PostingRow, tables: Tables, weights: Weights
) -> NDArray[np.int32]:
    """For each skill of a posting, thousandths of points that it gives at most, rounded up."""
    most = np.zeros(skills.size, np.int32)
    for place in range(skills.size):
        weight = 1000 * tables.skills[skills[place], 0]
        if place < posting.required:
            most[place] = -(-weights.required * weight // posting.required_weight)
        else:
            most[place] = -(-weights.preferred * weight // posting.preferred_weight)
    return most


@inlined
def skills_lost(seeker: SeekerRow, signs: NDArray[np.int64], most: NDArray[np.int32], all_of_them: int) -> int:
    """Points that the seeker lacks at least for skills of which a word has no bit. Without branches.

    `most`: as `most_of_skills`. `all_of_them`: as `all_skills`.
    """
    bits, more, thousandths = seeker.skill_bits, seeker.more_skill_bits, 0
    for i in range(most.size):
        thousandths += most[i] * ((signs[i, 0] & bits != 0) & (signs[i, 1] & more != 0))
    return max(all_of_them - thousandths // 1000, 0)


@compiled
def all_skills(posting: PostingRow, weights: Weights) -> int:
    """Points for all skills that the posting names."""
    most = weights.required if posting.required_weight else 0
    return most + (weights.preferred if posting.preferred_weight else 0)


@compiled
def points_lost(posting: PostingRow, required: int, preferred: int, weights: Weights) -> int:
    """Points that are lacking for skills, of which there are so much."""
    lost = 0
    if posting.required_weight:
        lost += weights.required - share(weights.required, required, 1000 * posting.required_weight)
    if posting.preferred_weight:
        lost += weights.preferred - share(weights.preferred, preferred, 1000 * posting.preferred_weight)
    return lost


@compiled
def candidates(
    by_posting: bool,
    anchor: int,
    now: int,
    begin: int,
    end: int,
    bar: int,
    lookups: Lookups,
    postings: Columns,
    seekers: Columns,
    tables: Tables,
    weights: Weights,
    scratch: Scratch,
) -> int:
    """Of `rows[begin:end]`, keep from `begin` on those that pass all gates and may have `bar` points; how many.

    Sets their `bounds`. Who is too far below the bar by the row alone is left before its codes are read.
    """
    wanted = skills_wanted(by_posting, anchor, postings)
    signs = signs_of(wanted, tables.credits)
    near, ways, close_of, licence_of = lookups.near, lookups.way, lookups.close, lookups.licences
    posting_rows, seeker_rows = postings.rows, seekers.rows
    codes = seekers.codes if by_posting else postings.codes
    rows, bounds = scratch.rows, scratch.bounds
    asked: PostingRow = posting_rows[anchor if by_posting else 0]
    most_each, skills = most_of_skills(wanted, asked, tables, weights), all_skills(asked, weights)
    bits = close_bits(close_of, tables.occupations) if by_posting else -1
    worth = lookups.worth
    off = SWITCHED & ~weights.gates
    passed = begin
    listed = rows[:end]
    for place in range(begin, end):
        read_ahead(by_posting, place, listed, posting_rows, seeker_rows, codes)
        row = rows[place]
        p, s = (anchor, row) if by_posting else (row, anchor)
        posting: PostingRow = posting_rows[p]
        seeker: SeekerRow = seeker_rows[s]
        failed, _ = gates(posting, seeker, now)
        if failed & ~off:
            continue
        most = most_of_rows(posting, seeker, weights)
        if by_posting:
            most -= skills_lost(seeker, signs, most_each, skills)
        if most + most_for_occupation(posting, seeker, bits, weights) + weights.place < bar:
            continue
        found = place_of(by_posting, posting, seeker, near, codes)
        failed, _ = place_gate(posting, seeker, found)
        if failed & ~off:
            continue
        if posting.licences:
            shared = licences_shared(by_posting, posting, seeker, licence_of, codes)
            failed, _ = licence_gate(posting, seeker, shared)
            if failed & ~off:
                continue
        if not by_posting:
            required, preferred = required_and_preferred(by_posting, posting, seeker, worth, codes)
            most -= points_lost(posting, required, preferred, weights)
        close = closeness(by_posting, posting, seeker, close_of, codes, weights.later)
        way = way_of(by_posting, posting, seeker, ways, codes)
        bound = most + of_codes(posting, seeker, found, way, close, weights)
        if bound >= bar:
            rows[passed] = row
            bounds[passed] = bound
            passed += 1
    return passed - begin


@compiled
def search(view: View, by_posting: bool, anchor: int, now: int, k: int, used: int) -> tuple[NDArray[np.int64], Weighed]:
    """The rows of the best `k` counterparts, best first, and all about each. `used`: rows of the others."""
    postings, seekers, tables, weights, scratch = view.postings, view.seekers, view.tables, view.weights, view.scratch
    lookups = (
        of_posting(anchor, postings, tables, weights) if by_posting else of_seeker(anchor, seekers, tables, weights)
    )
    near, ways, close_of = lookups.near, lookups.way, lookups.close
    worth, in_part = lookups.worth, lookups.pairs.size > 0
    listed = maybe(by_posting, anchor, used, near, postings, seekers, weights, scratch)
    posting_rows, seeker_rows, weight_of = postings.rows, seekers.rows, tables.skills
    codes = seekers.codes if by_posting else postings.codes
    ids = seekers.ids if by_posting else postings.ids
    wanted = skills_wanted(by_posting, anchor, postings)
    best = np.empty(k, np.int64)
    points = np.empty(k, np.int64)
    found = 0
    for begin, end in ((0, min(FIRST, listed)), (min(FIRST, listed), listed)):
        bar = points[k - 1] if found == k else weights.minimum
        count = candidates(
            by_posting, anchor, now, begin, end, bar, lookups, postings, seekers, tables, weights, scratch
        )
        by_bound(scratch, begin, count, weights)
        for turn in range(count):
            candidate = scratch.order[turn]
            row = int(scratch.rows[candidate])
            if found == k and scratch.bounds[candidate] < points[k - 1]:
                break
            p, s = (anchor, row) if by_posting else (row, anchor)
            posting: PostingRow = posting_rows[p]
            seeker: SeekerRow = seeker_rows[s]
            required, preferred = (
                graded(posting, seeker, lookups, wanted, codes, weight_of)
                if in_part
                else required_and_preferred(by_posting, posting, seeker, worth, codes)
            )
            close = closeness(by_posting, posting, seeker, close_of, codes, weights.later)
            if close <= 0 and required + preferred == 0:
                continue
            lies = place_of(by_posting, posting, seeker, near, codes)
            way = way_of(by_posting, posting, seeker, ways, codes)
            total = 0
            for part in score_pair(posting, seeker, lies, way, close, required, preferred, weights):
                total += part
            if total < weights.minimum:
                continue
            if found == k:
                if not comes_before(total, row, points[k - 1], best[k - 1], ids):
                    continue
                found -= 1
            hole = found
            while hole > 0 and comes_before(total, row, points[hole - 1], best[hole - 1], ids):
                best[hole], points[hole] = best[hole - 1], points[hole - 1]
                hole -= 1
            best[hole], points[hole] = row, total
            found += 1
    rows = best[:found]
    return rows, weigh_with(lookups, by_posting, anchor, rows, now, postings, seekers, tables, weights)
