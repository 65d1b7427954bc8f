"""What one anchor means for each code: tables by code, made once for a question and read for every row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.codes import BROAD, FAMILY, NARROW
from services.matcher.domain.columns import UNKNOWN, Postings, Seekers, Tables
from services.matcher.domain.compiled import compiled
from services.matcher.domain.kernels import AROUND, HOME, SAME, WITHIN
from services.matcher.domain.policy import Weights
from shared.regions import DEEPEST


class Lookups(NamedTuple):
    """One anchor's tables, by the code of the counterpart."""

    near: NDArray[np.int8]
    """Regions: bits of the place. Of a posting, HOME is for a seeker who lives there."""
    close: NDArray[np.int32]
    """Occupations: closeness, of a posting in permille, of a seeker in millionths, the best of the wanted."""
    required: NDArray[np.int32]
    """Weight of the anchor's skills, 0 for all others; of a posting, only the required ones'."""
    preferred: NDArray[np.int32]
    """The same; of a posting, only the preferred ones'."""
    licences: NDArray[np.int8]
    """1 for the anchor's."""


@compiled
def mark_posting_regions(near: NDArray[np.int8], regions: NDArray[np.int32], own: NDArray[np.int32]) -> None:
    """For each region that a seeker may name: how the posting's regions lie to it."""
    for region in own:
        depth = regions[region, DEEPEST]
        for other in range(near.size):
            if regions[other, depth] == region:
                near[other] |= SAME if other == region else AROUND
        near[region] |= HOME
        for above in range(depth):
            near[regions[region, above]] |= WITHIN | HOME


@compiled
def mark_seeker_regions(near: NDArray[np.int8], regions: NDArray[np.int32], own: NDArray[np.int32]) -> None:
    """For each region that a posting may name: how it lies to those where the seeker would work."""
    for region in own:
        depth = regions[region, DEEPEST]
        for other in range(near.size):
            if regions[other, depth] == region:
                near[other] |= SAME if other == region else WITHIN
        for above in range(depth):
            near[regions[region, above]] |= AROUND


@compiled
def mark_home(near: NDArray[np.int8], regions: NDArray[np.int32], home: int) -> None:
    """For each region that a posting may name: whether it is, or lies in, the seeker's own."""
    depth = regions[home, DEEPEST]
    for other in range(near.size):
        if regions[other, depth] == home:
            near[other] |= HOME


@compiled
def mark_occupation(
    close: NDArray[np.int32], occupations: NDArray[np.int32], own: int, factor: int, weights: Weights
) -> None:
    """Closeness of every occupation to this one, times the factor, where that is more than so far."""
    family, broad, narrow = occupations[own, FAMILY], occupations[own, BROAD], occupations[own, NARROW]
    for other in range(close.size):
        if occupations[other, FAMILY] != family:
            continue
        found = 0
        if other == own:
            found = weights.same_occupation
        elif narrow != UNKNOWN and occupations[other, NARROW] == narrow:
            found = weights.narrow_group
        elif broad != UNKNOWN and occupations[other, BROAD] == broad:
            found = weights.broad_group
        close[other] = max(close[other], found * factor)


@compiled
def blank(tables: Tables) -> Lookups:
    """Tables of an anchor that names nothing."""
    return Lookups(
        np.zeros(tables.regions.shape[0], np.int8),
        np.full(tables.occupations.shape[0], UNKNOWN, np.int32),
        np.zeros(tables.skills.shape[0], np.int32),
        np.zeros(tables.skills.shape[0], np.int32),
        np.zeros(tables.licences.shape[0], np.int8),
    )


@compiled
def of_posting(p: int, postings: Postings, tables: Tables, weights: Weights) -> Lookups:
    """The tables of a posting."""
    lookups = blank(tables)
    posting = postings.rows[p]
    mark_posting_regions(lookups.near, tables.regions, postings.regions[p, : posting.regions])
    if posting.occupation != UNKNOWN:
        mark_occupation(lookups.close, tables.occupations, posting.occupation, 1, weights)
    for place in range(posting.skills):
        skill = postings.skills[p, place]
        table = lookups.required if place < posting.required else lookups.preferred
        table[skill] = tables.skills[skill, 0]
    for licence in postings.licences[p, : posting.licences]:
        lookups.licences[licence] = 1
    return lookups


@compiled
def of_seeker(s: int, seekers: Seekers, tables: Tables, weights: Weights) -> Lookups:
    """The tables of a seeker."""
    lookups = blank(tables)
    seeker = seekers.rows[s]
    mark_seeker_regions(lookups.near, tables.regions, seekers.regions[s, : seeker.regions])
    if seeker.lives_in != UNKNOWN:
        mark_home(lookups.near, tables.regions, seeker.lives_in)
    for rank in range(seeker.occupations):
        factor = 1000 if rank == 0 else weights.later
        mark_occupation(lookups.close, tables.occupations, seekers.occupations[s, rank], factor, weights)
    for skill in seekers.skills[s, : seeker.skills]:
        lookups.required[skill] = lookups.preferred[skill] = tables.skills[skill, 0]
    for licence in seekers.licences[s, : max(seeker.licences, 0)]:
        lookups.licences[licence] = 1
    return lookups
