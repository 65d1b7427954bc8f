"""What is derived from a row and the tables: the weight of a posting's skills, bits, and the gate words. Compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import UNKNOWN, Columns
from services.matcher.domain.compiled import compiled
from services.matcher.domain.occupations import BIT
from services.matcher.domain.words import posting_word, seeker_word, skill_bits

if TYPE_CHECKING:
    from services.matcher.domain.columns import PostingRow, SeekerRow


@compiled
def derive_postings(own: Columns, targets: NDArray[np.int32], weight_of: NDArray[np.int32]) -> None:
    """Of these rows, by the weights of the present policy."""
    rows, words, codes = own.rows, own.words, own.codes
    for row in targets:
        posting: PostingRow = rows[row]
        at = posting.at + 2 * posting.lists
        required = preferred = 0
        for place in range(posting.skills):
            weight = weight_of[codes[at + place], 0]
            if place < posting.required:
                required += weight
            else:
                preferred += weight
        posting.required_weight, posting.preferred_weight = required, preferred
        words[row] = posting_word(posting) if posting.live else 0


@compiled
def named_by_postings(
    own: Columns,
    used: int,
    occupations: NDArray[np.bool_],
    skills: NDArray[np.bool_],
    licences: NDArray[np.bool_],
) -> None:
    """Mark the codes that live postings name."""
    for row in range(used):
        posting: PostingRow = own.rows[row]
        if posting.live:
            at = posting.at + 2 * posting.lists
            if posting.occupation != UNKNOWN:
                occupations[posting.occupation] = True
            skills[own.codes[at : at + posting.skills]] = True
            at += posting.skills
            licences[own.codes[at : at + posting.licences]] = True


@compiled
def named_by_seekers(
    own: Columns,
    used: int,
    occupations: NDArray[np.bool_],
    skills: NDArray[np.bool_],
    licences: NDArray[np.bool_],
) -> None:
    """Mark the codes that live seekers name."""
    for row in range(used):
        seeker: SeekerRow = own.rows[row]
        if seeker.live:
            at = seeker.at + 2 * seeker.lists
            occupations[own.codes[at : at + seeker.occupations]] = True
            at += seeker.occupations
            skills[own.codes[at : at + seeker.skills]] = True
            at += seeker.skills
            licences[own.codes[at : at + max(seeker.licences, 0)]] = True


@compiled
def derive_seekers(own: Columns, targets: NDArray[np.int32], occupations: NDArray[np.int32]) -> None:
    """Of these rows, by the groups of the present policy."""
    rows, words, codes = own.rows, own.words, own.codes
    for row in targets:
        seeker: SeekerRow = rows[row]
        at = seeker.at + 2 * seeker.lists
        bits = 0
        for place in range(seeker.occupations):
            bits |= 1 << occupations[codes[at + place], BIT]
        seeker.occupation_bits = bits
        at += seeker.occupations
        bits = more = 0
        for place in range(seeker.skills):
            one, other = skill_bits(codes[at + place])
            bits |= one
            more |= other
        seeker.skill_bits, seeker.more_skill_bits = bits, more
        words[row] = seeker_word(seeker) if seeker.live else 0
