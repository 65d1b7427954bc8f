"""What is asked of all postings and seekers, compiled: the best for one anchor, and all about some of them."""

# ruff: noqa: PLR0913 - kernels take their arrays one by one
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import ID_WORDS, UNKNOWN, Postings, Seekers, Tables
from services.matcher.domain.compiled import compiled
from services.matcher.domain.kernels import COMPONENTS, OCCUPATION, REFUSED, best_closeness, gates, score
from services.matcher.domain.policy import Weights

PREFERRED_SHIFT = 32
"""The two sums of matched weights lie in one integer: required below, preferred above."""
REQUIRED_MASK = (1 << PREFERRED_SHIFT) - 1


@compiled
def marks_of(
    by_posting: bool,  # noqa: FBT001
    anchor: int,
    postings: Postings,
    seekers: Seekers,
    tables: Tables,
) -> NDArray[np.int64]:
    """The anchor's skills as a table over all skills.

    Of a posting: the weight of each, a preferred one's shifted. Of a seeker: 1 for each that there is.
    """
    marks = np.zeros(tables.skill_weights.shape[0], np.int64)
    if by_posting:
        posting = postings.rows[anchor]
        for i in range(posting.skills):
            skill = postings.skills[anchor, i]
            weight = np.int64(tables.skill_weights[skill, 0])
            marks[skill] = weight if i < posting.required else weight << PREFERRED_SHIFT
    else:
        for i in range(seekers.rows[anchor].skills):
            marks[seekers.skills[anchor, i]] = 1
    return marks


@compiled
def matched(
    by_posting: bool,  # noqa: FBT001
    p: int,
    s: int,
    postings: Postings,
    seekers: Seekers,
    tables: Tables,
    marks: NDArray[np.int64],
) -> int:
    """The two sums of the weights of the posting's skills that the seeker has, in one integer."""
    total = np.int64(0)
    if by_posting:
        for i in range(seekers.rows[s].skills):
            total += marks[seekers.skills[s, i]]
    else:
        posting = postings.rows[p]
        for i in range(posting.skills):
            skill = postings.skills[p, i]
            if marks[skill]:
                weight = np.int64(tables.skill_weights[skill, 0])
                total += weight if i < posting.required else weight << PREFERRED_SHIFT
    return total


@compiled
def weigh_one(
    by_posting: bool,  # noqa: FBT001
    anchor: int,
    row: int,
    found: int,
    postings: Postings,
    seekers: Seekers,
    tables: Tables,
    weights: Weights,
    marks: NDArray[np.int64],
    parts: NDArray[np.int32],
) -> int:
    """The score of the anchor and the counterpart in `row` (`services.matcher.domain.kernels.score`)."""
    p, s = (anchor, row) if by_posting else (row, anchor)
    sums = matched(by_posting, p, s, postings, seekers, tables, marks)
    required, preferred = sums & REQUIRED_MASK, sums >> PREFERRED_SHIFT
    return score(postings, p, seekers, s, tables, weights, found, required, preferred, parts)


@compiled
def comes_before(points: int, row: int, other_points: int, other: int, ids: NDArray[np.uint64]) -> bool:
    """The order of a list: points down, then id up."""
    if points != other_points:
        return points > other_points
    for word in range(ID_WORDS):
        if ids[row, word] != ids[other, word]:
            return ids[row, word] < ids[other, word]
    return False


@compiled
def best(
    by_posting: bool,  # noqa: FBT001
    anchor: int,
    used: int,
    k: int,
    now: int,
    postings: Postings,
    seekers: Seekers,
    tables: Tables,
    weights: Weights,
) -> NDArray[np.int64]:
    """Rows of the best `k` counterparts below row `used`, best first."""
    rows = np.empty(k, np.int64)
    points = np.empty(k, np.int64)
    count = 0
    marks = marks_of(by_posting, anchor, postings, seekers, tables)
    parts = np.empty(len(COMPONENTS), np.int32)
    ids = seekers.ids if by_posting else postings.ids
    for row in range(used):
        live = seekers.rows[row].live if by_posting else postings.rows[row].live
        if live == 0:
            continue
        p, s = (anchor, row) if by_posting else (row, anchor)
        failed, _, found = gates(postings, p, seekers, s, tables, now, False)  # noqa: FBT003
        if failed:
            continue
        total = weigh_one(by_posting, anchor, row, found, postings, seekers, tables, weights, marks, parts)
        if total == REFUSED:
            continue
        if count == k:
            if not comes_before(total, row, points[k - 1], rows[k - 1], ids):
                continue
            count -= 1
        place = count
        while place > 0 and comes_before(total, row, points[place - 1], rows[place - 1], ids):
            rows[place] = rows[place - 1]
            points[place] = points[place - 1]
            place -= 1
        rows[place] = row
        points[place] = total
        count += 1
    return rows[:count]


@compiled
def weigh(
    by_posting: bool,  # noqa: FBT001
    anchor: int,
    others: NDArray[np.int64],
    now: int,
    postings: Postings,
    seekers: Seekers,
    tables: Tables,
    weights: Weights,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """All about the anchor and each counterpart in these rows.

    Gives `facts`, a row each of failed gates, unknown facts (bits in the order of GATES, then OCCUPATION),
    whether there is something in common (0 or 1), and points (REFUSED if they are too few or there is
    nothing in common); and `parts`, the components.
    """
    facts = np.empty((others.size, 4), np.int64)
    parts = np.empty((others.size, len(COMPONENTS)), np.int32)
    marks = marks_of(by_posting, anchor, postings, seekers, tables)
    for i in range(others.size):
        row = others[i]
        p, s = (anchor, row) if by_posting else (row, anchor)
        failed, unknown, found = gates(postings, p, seekers, s, tables, now, True)  # noqa: FBT003
        close = best_closeness(postings.rows[p].occupation, seekers, s, tables, weights)
        if close == UNKNOWN:
            unknown |= OCCUPATION
        common = close > 0 or matched(by_posting, p, s, postings, seekers, tables, marks) > 0
        facts[i, 0] = failed
        facts[i, 1] = unknown
        facts[i, 2] = 1 if common else 0
        facts[i, 3] = weigh_one(
            by_posting, anchor, row, found, postings, seekers, tables, weights, marks, parts[i]
        )
    return facts, parts
