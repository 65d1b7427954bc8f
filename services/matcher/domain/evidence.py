"""What a list says of each pair beside its points, in the contract's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import isnan
from typing import Final, TypeVar

from services.matcher.domain.columns import UNKNOWN
from services.matcher.domain.facts import BENEFIT_BITS, KEY_GROUP_BITS
from services.matcher.domain.pairs import (
    AT_HOME,
    CURRENCY,
    EDUCATION_ASKED,
    EDUCATION_HAS,
    KEY_GROUPS,
    MONTHS_ASKED,
    MONTHS_HAS,
    NEEDED,
    NO_AMOUNT,
    OFFERED,
    PAY_HIGH,
    PAY_LOW,
    PREFERRED,
    REMOTE,
    REQUIRED,
    SAME_OCCUPATION,
    km_of,
)
from shared.contracts.common import Education
from shared.contracts.lists import ComponentsBody, EvidenceBody

LEVELS: Final = tuple(Education)
T = TypeVar("T")


def evidence(
    facts: Sequence[int], span: float, related: Sequence[tuple[str, str]], parts: ComponentsBody
) -> EvidenceBody:
    """Of one row of `pairs.collected`.

    `related`: skills of the posting, each with the one that counted for it in part. `parts`: the components, because
    what earned no points for want of a policy for it is not said.
    """
    asked, months = facts[EDUCATION_ASKED], facts[MONTHS_ASKED]
    low, high = (None if end == NO_AMOUNT else end for end in (facts[PAY_LOW], facts[PAY_HIGH]))
    return EvidenceBody(
        same_occupation=facts[SAME_OCCUPATION] == 1,
        required=facts[REQUIRED],
        preferred=facts[PREFERRED],
        related=tuple(related),
        education_asked=LEVELS[asked - 1] if asked else None,
        education=LEVELS[facts[EDUCATION_HAS] - 1] if asked else None,
        months_asked=None if months == UNKNOWN else months,
        months=None if months == UNKNOWN else facts[MONTHS_HAS],
        km=None if facts[AT_HOME] or isnan(span) else km_of(span),
        at_home=facts[AT_HOME] == 1,
        remote=facts[REMOTE] == 1,
        pay_low=low,
        pay_high=high,
        currency=None if low is None and high is None else letters(facts[CURRENCY]),
        benefits_needed=facts[NEEDED],
        benefits=_named(BENEFIT_BITS, facts[OFFERED]),
        key_groups=_named(KEY_GROUP_BITS, facts[KEY_GROUPS]) if parts.key_group else (),
    )


def _named(bits: Mapping[T, int], found: int) -> tuple[T, ...]:
    return tuple(one for one, bit in bits.items() if bit & found) if found else ()


@cache
def letters(currency: int) -> str:
    """Three capital letters of their number (`columns.currency`)."""
    return chr(65 + currency // 676) + chr(65 + currency // 26 % 26) + chr(65 + currency % 26)
