"""Gate words: what the simplest gates compare, packed so that one subtraction tests them all.

From the lowest bit: employment types (8 bits), then education (4), experience in months (10) and pay (24), each
with a guard bit above it. A seeker's word holds what the seeker has, a posting's what it asks for, so that each
field of the seeker's must be at least the posting's; pay is counted down from the largest number on both sides,
because there the seeker asks. Where a fact is missing the field is such that it passes. The guard bits, set
before the subtraction, survive it in the fields that are enough.

The test is necessary, never sufficient: whoever passes is looked at again by `kernels.gates`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.matcher.domain.columns import UNKNOWN, currency
from services.matcher.domain.compiled import compiled
from services.matcher.domain.gates import EDUCATION, EMPLOYMENT, EXPERIENCE, PAY

if TYPE_CHECKING:
    from services.matcher.domain.columns import PostingRow, SeekerRow

ANY: Final = 0xFF
EDUCATION_AT: Final = 8
EXPERIENCE_AT: Final = 13
PAY_AT: Final = 24
MOST_EDUCATION: Final = 0xF
MOST_EXPERIENCE: Final = 0x3FF
MOST_PAY: Final = 0xFFFFFF
EDUCATION_GUARD: Final = 1 << 12
EXPERIENCE_GUARD: Final = 1 << 23
PAY_GUARD: Final = 1 << 48
GUARDS: Final = EDUCATION_GUARD | EXPERIENCE_GUARD | PAY_GUARD
SPREAD: Final = 2_654_435_761
"""The prime next to 2 ** 32 over the golden ratio (Knuth, The Art of Computer Programming 3, 6.4)."""
CNY: Final = currency("CNY")
"""Pay is packed in the currency that nearly all have; what is in another passes."""


@compiled
def seeker_word(seeker: SeekerRow) -> int:
    """The word of a live seeker."""
    education = MOST_EDUCATION if seeker.education == 0 else seeker.education
    experience = MOST_EXPERIENCE if seeker.experience == UNKNOWN else seeker.experience
    floor = seeker.pay_floor if seeker.currency == CNY else 0
    employment = ANY if seeker.employment == 0 else seeker.employment
    return employment | education << EDUCATION_AT | experience << EXPERIENCE_AT | (MOST_PAY - floor) << PAY_AT


@compiled
def posting_word(posting: PostingRow) -> int:
    """The word of a live posting."""
    experience = max(posting.experience, 0)
    pay = MOST_PAY - posting.pay_max if posting.currency == CNY and posting.pay_max != UNKNOWN else 0
    employment = ANY if posting.employment == 0 else posting.employment
    return employment | posting.education << EDUCATION_AT | experience << EXPERIENCE_AT | pay << PAY_AT


@compiled
def guards(switched_on: int) -> int:
    """The guard bits of the gates that are on."""
    kept = 0
    if switched_on & EDUCATION:
        kept |= EDUCATION_GUARD
    if switched_on & EXPERIENCE:
        kept |= EXPERIENCE_GUARD
    if switched_on & PAY:
        kept |= PAY_GUARD
    return kept


@compiled
def employment_bits(word: int, switched_on: int) -> int:
    """The employment types of a word; all of them if that gate is off."""
    return word & ANY if switched_on & EMPLOYMENT else ANY


@compiled
def may_pass(seeker: int, posting: int, kept: int) -> bool:
    """Whether the packed gates may pass, but for the employment types."""
    return ((seeker | GUARDS) - (posting & ~ANY)) & kept == kept


@compiled
def skill_bits(skill: int) -> tuple[int, int]:
    """One of 64 bits each in two words, far apart for skills that share one.

    Who lacks in one of the words the bits of a skill and of all that count for it has nothing of it.
    """
    return 1 << (skill & 63), 1 << ((skill * SPREAD >> 26) & 63)
