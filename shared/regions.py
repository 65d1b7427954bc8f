"""Which region contains which, by the rules of the code lists themselves.

Sources: GB/T 2260 (six digits: province, prefecture, county), ISO 3166-1 and 3166-2 (a subdivision starts
with its country), ISO 3166-2:CN (letters for GB/T 2260 provinces), SCB's Swedish codes (two digits a county,
four a municipality) and ISO 3166-2:SE (letters for SCB counties). Regions are compared as `scheme:code`.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from typing import Final

PROVINCES: Final = {
    "BJ": "11", "TJ": "12", "HE": "13", "SX": "14", "NM": "15",
    "LN": "21", "JL": "22", "HL": "23",
    "SH": "31", "JS": "32", "ZJ": "33", "AH": "34", "FJ": "35", "JX": "36", "SD": "37",
    "HA": "41", "HB": "42", "HN": "43", "GD": "44", "GX": "45", "HI": "46",
    "CQ": "50", "SC": "51", "GZ": "52", "YN": "53", "XZ": "54",
    "SN": "61", "GS": "62", "QH": "63", "NX": "64", "XJ": "65",
    "TW": "71", "HK": "81", "MO": "82",
}  # fmt: skip
"""ISO 3166-2:CN letters to the first two digits of GB/T 2260."""

COUNTIES: Final = {
    "AB": "01", "C": "03", "D": "04", "E": "05", "F": "06", "G": "07", "H": "08", "I": "09", "K": "10",
    "M": "12", "N": "13", "O": "14", "S": "17", "T": "18", "U": "19", "W": "20", "X": "21", "Y": "22",
    "Z": "23", "AC": "24", "BD": "25",
}  # fmt: skip
"""ISO 3166-2:SE letters to SCB's county code."""

CHINA: Final = "iso3166-1:CN"
SWEDEN: Final = "iso3166-1:SE"
DEEPEST: Final = 4
"""Most regions on the way from a country to one of its smallest parts, both included."""


class Relation(IntEnum):
    """What one region is to another."""

    APART = 0
    AROUND = 1
    """The first contains the second."""
    WITHIN = 2
    """The first lies in the second."""
    SAME = 3


@lru_cache(maxsize=65_536)
def canonical(key: str) -> str:
    """The one name of a region that has several, for example `gbt2260:370000` for `iso3166-2:CN-SD`.

    ISO 3166-2:CN itself says that CN-TW, CN-HK and CN-MO are ISO 3166-1 TW, HK and MO. A region that these
    rules do not know is its own name.
    """
    scheme, _, code = key.partition(":")
    country, _, part = code.partition("-")
    if scheme == "iso3166-2" and country == "CN" and part in PROVINCES:
        return f"gbt2260:{PROVINCES[part]}0000"
    if scheme == "iso3166-2" and country == "SE" and part in COUNTIES:
        return f"scb:{COUNTIES[part]}"
    if scheme == "iso3166-1" and code in {"TW", "HK", "MO"}:
        return f"gbt2260:{PROVINCES[code]}0000"
    return key


@lru_cache(maxsize=65_536)
def ancestors(key: str) -> tuple[str, ...]:
    """The regions that contain this one, nearest first and by their canonical names.

    `gbt2260:370102` lies in `gbt2260:370100`, `gbt2260:370000` and `iso3166-1:CN`. Empty for a country and
    for a code that these rules do not know: such a region contains and lies in nothing but itself.
    """
    scheme, _, code = canonical(key).partition(":")
    digits = code.isascii() and code.isdigit()
    if scheme == "gbt2260" and digits and len(code) == 6:  # noqa: PLR2004 - the length of the code
        prefecture, province = f"{code[:4]}00", f"{code[:2]}0000"
        higher = [f"gbt2260:{region}" for region in dict.fromkeys((prefecture, province)) if region != code]
        return (*higher, CHINA)
    if scheme == "scb" and digits and len(code) == 4:  # noqa: PLR2004 - the length of the code
        return (f"scb:{code[:2]}", SWEDEN)
    if scheme == "scb" and digits and len(code) == 2:  # noqa: PLR2004 - the length of the code
        return (SWEDEN,)
    country, dash, part = code.partition("-")
    if scheme == "iso3166-2" and dash and part:
        return (f"iso3166-1:{country}",)
    return ()


def relation(first: str, second: str) -> Relation:
    """What the first region is to the second: the same, within it, around it, or apart from it."""
    first, second = canonical(first), canonical(second)
    if first == second:
        return Relation.SAME
    if second in ancestors(first):
        return Relation.WITHIN
    if first in ancestors(second):
        return Relation.AROUND
    return Relation.APART
