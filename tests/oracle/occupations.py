"""How close two occupations are: the oracle's own reading of the policy's groups and of ISCO-08."""

from __future__ import annotations

from collections.abc import Iterable

from tests.oracle import facts
from tests.oracle.facts import known


def closeness(first: str, second: str) -> int | None:
    """Of two occupations, in permille; None if they cannot be compared."""
    table = facts.POLICY.get("related_occupations", {})
    found = [table.get(first, {}).get(second), table.get(second, {}).get(first), grouped(first, second)]
    return max((close for close in found if close is not None), default=None)


def grouped(first: str, second: str) -> int | None:
    """Closeness by the schemes' groups, and by those of ISCO-08."""
    if first == second:
        return int(facts.POLICY["occupation"]["same"])
    found = (by_prefix(first, second), by_place(first, second))
    return max((close for close in found if close is not None), default=None)


def by_place(first: str, second: str) -> int | None:
    """Closeness in ISCO-08, where a place is known or, of a scheme built on it, its beginning is in the code."""
    rules = facts.POLICY["occupation"]
    if not known().isco(first) and not known().isco(second):
        return None
    one, two = placed(first), placed(second)
    if one is None or two is None:
        return None
    pair = tuple(one), tuple(two)
    if pair not in known().common_digits:
        known().common_digits[pair] = common_digits(one, two)
    step = {4: "unit_group", 3: "narrow_group", 2: "broad_group"}.get(known().common_digits[pair])
    return 0 if step is None else int(rules[step])


def common_digits(one: Iterable[str], two: Iterable[str]) -> int:
    """By how many digits the closest of two sets of ISCO-08 codes agree, if that makes a group; else 0."""
    return max(
        (length for a in one for b in two for length in (2, 3, 4) if shares(a, b, length)),
        default=0,
    )


def placed(key: str) -> list[str] | None:
    """The codes of its groups; None if it is in no scheme of ISCO's family."""
    if known().isco(key):
        return list(known().isco(key))
    scheme, code = key.split(":", 1)
    rules = facts.POLICY["occupation"]["schemes"].get(scheme)
    if rules is None or rules["family"] != "isco":
        return None
    # only isco-08 itself means the same by three digits as ISCO, and nobody knows of a fourth
    return [code[: rules["narrow_length"] if scheme == "isco-08" else rules["broad_length"]]]


def by_prefix(first: str, second: str) -> int | None:
    """Closeness by the schemes' own groups."""
    rules = facts.POLICY["occupation"]
    (first_scheme, first_code), (second_scheme, second_code) = first.split(":", 1), second.split(":", 1)
    one, two = rules["schemes"].get(first_scheme), rules["schemes"].get(second_scheme)
    if one is None or two is None:
        return 0 if first_scheme == second_scheme else None
    if one["family"] != two["family"]:
        return None
    if first_scheme != second_scheme and (known().isco(first) or known().isco(second)):
        return 0
    narrow, broad = one["narrow_length"], one["broad_length"]
    if first_scheme == second_scheme and shares(first_code, second_code, narrow):
        return int(rules["narrow_group"])
    return int(rules["broad_group"]) if shares(first_code, second_code, broad) else 0


def shares(first: str, second: str, length: int) -> bool:
    """Whether both codes are that long and begin alike."""
    return len(first) >= length and len(second) >= length and first[:length] == second[:length]
