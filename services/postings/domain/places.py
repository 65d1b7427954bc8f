"""Countries and their parts by the names and codes that people write, as codes of ISO 3166.

By pycountry (ISO 3166-1 and -2 as Debian's iso-codes carries them). Chinese names of provinces are ours.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import pycountry

from shared.contracts.common import Code
from shared.regions import PROVINCES

_CHINESE: Final = {
    "北京": "BJ", "天津": "TJ", "河北": "HE", "山西": "SX", "内蒙古": "NM", "辽宁": "LN", "吉林": "JL",
    "黑龙江": "HL", "上海": "SH", "江苏": "JS", "浙江": "ZJ", "安徽": "AH", "福建": "FJ", "江西": "JX",
    "山东": "SD", "河南": "HA", "湖北": "HB", "湖南": "HN", "广东": "GD", "广西": "GX", "海南": "HI",
    "重庆": "CQ", "四川": "SC", "贵州": "GZ", "云南": "YN", "西藏": "XZ", "陕西": "SN", "甘肃": "GS",
    "青海": "QH", "宁夏": "NX", "新疆": "XJ", "台湾": "TW", "香港": "HK", "澳门": "MO",
}  # fmt: skip
"""ISO 3166-2:CN letters by the name without its kind (省, 市, 自治区)."""
_COUNTRY_NAMES: Final = {"中国": "CN", "中华人民共和国": "CN", "中國": "CN", "uk": "GB", "u.s.": "US", "u.s.a.": "US"}
"""What pycountry does not know."""
_KIND: Final = re.compile(
    r"\s+(?:sheng|shi|zizhiqu|province|municipality|län|county|state|region|kanton|prefecture)$", re.IGNORECASE
)
_CODE: Final = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")
_LONGEST: Final = 100
"""No name of a place is longer."""


@lru_cache(maxsize=4096)
def country(text: str) -> str | None:
    """The code of ISO 3166-1 (two letters) of a country by its name or code; None if it is not known."""
    name = text.strip()
    if not name or len(name) > _LONGEST:
        return None
    if name.casefold() in _COUNTRY_NAMES:
        return _COUNTRY_NAMES[name.casefold()]
    try:
        return str(pycountry.countries.lookup(name).alpha_2)
    except LookupError:
        return None


@lru_cache(maxsize=16_384)
def part(country_code: str, text: str) -> str | None:
    """The code of ISO 3166-2 of a country's part by its name, code, or code without the country; None if unknown."""
    name = text.strip()
    if not name or len(name) > _LONGEST:
        return None
    code = name.upper() if _CODE.fullmatch(name.upper()) else f"{country_code}-{name.upper()}"
    if code.startswith(f"{country_code}-") and code in _by_name(country_code):
        return code
    if country_code == "CN" and (letters := _province(name)):
        return f"CN-{letters}"
    return _by_name(country_code).get(_folded(name))


def region(country_code: str | None, part_code: str | None, label: str | None, language: str) -> Code | None:
    """The nearest region that is known: the part, else the country. China's parts are codes of GB/T 2260."""
    labels = {language: label} if label else None
    if part_code is None:
        return Code(scheme="iso3166-1", code=country_code, label=labels) if country_code else None
    owner, _, letters = part_code.partition("-")
    if owner == "CN" and letters in PROVINCES:
        return Code(scheme="gbt2260", code=f"{PROVINCES[letters]}0000", label=labels)
    return Code(scheme="iso3166-2", code=part_code, label=labels)


def _province(name: str) -> str | None:
    """A province's name begins with two or three characters that no other's begins with."""
    return next((letters for start, letters in _CHINESE.items() if name.startswith(start)), None)


@lru_cache(maxsize=64)
def _by_name(country_code: str) -> dict[str, str]:
    """Codes by folded name; what two parts share stands under their codes alone."""
    parts = pycountry.subdivisions.get(country_code=country_code) or ()  # type: ignore[no-untyped-call]
    named: dict[str, set[str]] = {}
    for one in parts:
        named.setdefault(_folded(one.name), set()).add(one.code)
    by_code = {one.code: one.code for one in parts}
    return by_code | {name: codes.pop() for name, codes in named.items() if len(codes) == 1}


def _folded(name: str) -> str:
    return _KIND.sub("", name.partition(" [")[0].strip()).casefold()  # Swedish ones stand with a number in brackets
