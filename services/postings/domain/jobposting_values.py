"""Single values of a schema.org job posting: numbers, codes, places and pay, in the shapes in which they come."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from services.postings.domain.jsonld import Found, Node, items, types
from services.postings.domain.pay import currency_of, monthly, unit_of
from services.postings.domain.places import country, part, region
from shared.contracts.common import MAX_SKILLS, Code, Education, EmploymentType, Pay

MOST_MONTHS: Final = 720
MOST_REGIONS: Final = 20
_LONGEST_NUMBER: Final = 40
_LABEL: Final = 1000

_TEXT_KEYS: Final = ("name", "title", "value", "alternateName", "text")
_ESCO: Final = re.compile(r"data\.europa\.eu/esco/(occupation|skill)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_ISCO: Final = re.compile(r"data\.europa\.eu/esco/isco/C(\d{1,4})\b")
_ONET: Final = re.compile(r"\s*(\d{2}-\d{4}(?:\.\d{2})?)\b[\s:,-]*(.*)", re.DOTALL)
_CODE_SETS: Final = (
    (re.compile(r"o\*?net|soc", re.IGNORECASE), re.compile(r"\d{2}-\d{4}(?:\.\d{2})?"), "onet-soc"),
    (re.compile(r"isco", re.IGNORECASE), re.compile(r"\d{1,4}"), "isco-08"),
    (re.compile(r"ssyk", re.IGNORECASE), re.compile(r"\d{4}"), "ssyk-2012"),
)
"""By the name or address of the code set: how its codes look, and our scheme."""
_EDUCATION: Final[Mapping[str, Education]] = {
    "high school": Education.UPPER_SECONDARY,
    "high school diploma": Education.UPPER_SECONDARY,
    "associate degree": Education.SHORT_CYCLE_TERTIARY,
    "bachelor degree": Education.BACHELOR,
    "bachelor's degree": Education.BACHELOR,
    "postgraduate degree": Education.MASTER,
    "master degree": Education.MASTER,
    "master's degree": Education.MASTER,
    "doctorate": Education.DOCTOR,
    "doctoral degree": Education.DOCTOR,
    "初中": Education.LOWER_SECONDARY,
    "高中": Education.UPPER_SECONDARY,
    "中专": Education.UPPER_SECONDARY,
    "大专": Education.SHORT_CYCLE_TERTIARY,
    "本科": Education.BACHELOR,
    "硕士": Education.MASTER,
    "博士": Education.DOCTOR,
}
"""Google's words for `credentialCategory` and the Chinese levels, to ISCED 2011 (its mappings for US and China)."""
_NO_EDUCATION: Final = frozenset({"no requirements", "不限", "无要求"})
_EMPLOYMENT: Final[Mapping[str, EmploymentType]] = {
    "INTERN": EmploymentType.INTERNSHIP,
    "INTERNSHIP": EmploymentType.INTERNSHIP,
    "SEASONAL": EmploymentType.SEASONAL,
    "TEMPORARY": EmploymentType.TEMPORARY,
    "PER_DIEM": EmploymentType.TEMPORARY,
    "PART_TIME": EmploymentType.PART_TIME,
    "FULL_TIME": EmploymentType.FULL_TIME,
}
"""Of several the first in this order."""


def text(value: object) -> str:
    """What a value says: a text, a number, or the name of a thing; of several the first. Empty if it is none."""
    for item in items(value):
        if isinstance(item, str):
            if item.strip():
                return item.strip()
        elif isinstance(item, int | float) and not isinstance(item, bool):
            return str(item)[:_LONGEST_NUMBER]
        elif isinstance(item, dict):
            found = next((inner for key in _TEXT_KEYS if isinstance(inner := item.get(key), str) and inner.strip()), "")
            if found:
                return found.strip()
    return ""


def number(value: object) -> Decimal | None:
    """A number, also written as text (`45,000.50`); None if it is none, or not finite."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    written = str(value).strip()[: _LONGEST_NUMBER + 1]
    if re.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", written):
        written = written.replace(",", "")
    if len(written) > _LONGEST_NUMBER:
        return None
    try:
        found = Decimal(written)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def is_address(name: str) -> bool:
    """True for a name that means the same everywhere; `#employer` and `_:b0` only do in their document."""
    return "://" in name or name.startswith("urn:")


def language(found: Found) -> str:
    """Of the texts, two letters: as it is said, else by the title's script."""
    said = text(found.node.get("inLanguage")) or text(found.node.get("@language")) or found.language or ""
    if match := re.fullmatch(r"([A-Za-z]{2})(?:[-_].*)?", said):
        return match.group(1).lower()
    title = text(found.node.get("title")) or text(found.node.get("name"))
    if re.search(r"[\u3040-\u30ff]", title):
        return "ja"
    if re.search(r"[\uac00-\ud7af]", title):
        return "ko"
    return "zh" if re.search(r"[\u4e00-\u9fff]", title) else "en"


def employer_reference(node: Node) -> str | None:
    """What names the organisation at its source; None for a person, and where nothing does."""
    organisation = next(iter(items(node.get("hiringOrganization"))), None)
    if not isinstance(organisation, dict) or "Person" in types(organisation):
        return None
    for name in ("identifier", "leiCode", "vatID", "taxID", "@id", "sameAs", "url"):
        found = text(organisation.get(name))
        if found and (name != "@id" or is_address(found)):
            return found
    return None


def occupation(node: Node, spoken: str, unused: dict[str, None]) -> Code | None:
    """The first occupation whose code list is known; what is not known is named in `unused`."""
    for name in ("occupationalCategory", "relevantOccupation"):
        for item in items(node.get(name)):
            code = _occupation(item, spoken)
            if code is None and isinstance(item, dict) and "occupationalCategory" in item:
                inner = (_occupation(one, spoken) for one in items(item["occupationalCategory"]))
                code = next((one for one in inner if one), None)
            if code is not None:
                return code
            unused.setdefault(name)
    return None


def skills(node: Node, unused: dict[str, None]) -> tuple[Code, ...]:
    """Skills of ESCO by their addresses, each once."""
    found: dict[str, Code] = {}
    for item in items(node.get("skills")):
        match = _ESCO.search(_address(item))
        if match and match.group(1) == "skill":
            found.setdefault(match.group(2), Code(scheme="esco", code=match.group(2), label=_label(item, "en")))
        else:
            unused.setdefault("skills")
    return tuple(found.values())[:MAX_SKILLS]


def education(node: Node, unused: dict[str, None]) -> Education | None:
    """The lowest level that is named, since any of them will do."""
    levels = []
    for item in items(node.get("educationRequirements")):
        words = item.get("credentialCategory") if isinstance(item, dict) else item
        for word in items(words) or [None]:
            folded = text(word).casefold()
            if folded in _NO_EDUCATION:
                return None
            if folded in _EDUCATION:
                levels.append(_EDUCATION[folded])
            else:
                unused.setdefault("educationRequirements")
    return min(levels, key=lambda one: one.level, default=None)


def employment_type(node: Node) -> tuple[EmploymentType | None, bool]:
    """The kind of contract, and whether a word was not known."""
    named = [text(item) for item in items(node.get("employmentType"))]
    words = {re.sub(r"[\s-]+", "_", re.split(r"[/#]", word)[-1]).upper() for word in named}
    kinds = [kind for word, kind in _EMPLOYMENT.items() if word in words]
    either = {EmploymentType.PART_TIME, EmploymentType.FULL_TIME}
    kind = None if not kinds or set(kinds) == either else kinds[0]
    return kind, any(word not in _EMPLOYMENT for word in words)


def regions(node: Node, name: str, spoken: str) -> tuple[list[Code], list[tuple[str | int, ...]]]:
    """The regions of a field's places, and where places stand that are not known."""
    known: list[Code] = []
    unknown: list[tuple[str | int, ...]] = []
    several = isinstance(node.get(name), list)
    for at, place in enumerate(items(node.get(name))[: MOST_REGIONS * 2]):
        code = _region(place, spoken)
        if code is None:
            unknown.append((name, at) if several else (name,))
        else:
            known.append(code)
    return known, unknown[:MOST_REGIONS]


def pay(node: Node, kind: EmploymentType | None) -> Pay | str | None:
    """The monthly pay; None if nothing is said; the code of a fault if it cannot be taken."""
    offers = list(_offers(node))
    if not offers:
        return None
    currencies = {currency for *_, currency in offers}
    if len(currencies) > 1:
        return "mixed_currencies"
    pays = [_monthly(*offer, kind) for offer in offers]
    if code := next((one for one in pays if isinstance(one, str)), None):
        return code
    taken = [one for one in pays if isinstance(one, Pay)]
    lows = [one.min for one in taken if one.min is not None]
    highs = [one.max for one in taken if one.max is not None]
    low, high = min(lows, default=None), max(highs, default=None)
    if low is not None and high is not None and low > high:
        return "pay_out_of_range"
    return Pay(min=low, max=high, currency=currencies.pop())


def _monthly(
    least: Decimal | None, most: Decimal | None, unit: str, currency: str, kind: EmploymentType | None
) -> Pay | str:
    if not currency:
        return "pay_currency_missing"
    if least is None and most is None:
        return "pay_not_a_number"
    known = unit_of(unit)
    return "pay_unit_unknown" if known is None else monthly(least, most, known, currency, kind)


def _offers(node: Node) -> Iterator[tuple[Decimal | None, Decimal | None, str, str]]:
    """Least, most, unit and currency of each base salary."""
    outer = text(node.get("salaryCurrency"))
    for salary in items(node.get("baseSalary")):
        holder = salary if isinstance(salary, dict) else {"value": salary}
        for inner in items(holder.get("value")) or [holder]:
            amount = inner if isinstance(inner, dict) else {"value": inner}
            unit = (
                text(amount.get("unitText"))
                or text(amount.get("unitCode"))
                or text(holder.get("unitText"))
                or text(holder.get("unitCode"))
            )
            said = {
                (currency_of(one) or "")
                for one in (text(holder.get("currency")), text(amount.get("currency")), outer)
                if one
            }
            least, most = number(amount.get("minValue")), number(amount.get("maxValue"))
            exact = number(amount.get("value"))
            if least is None and most is None:
                least = most = exact
            for currency in said or {""}:
                yield least, most, unit, currency


def _occupation(value: object, spoken: str) -> Code | None:
    address = _address(value)
    if (esco := _ESCO.search(address)) and esco.group(1) == "occupation":
        return Code(scheme="esco", code=esco.group(2), label=_label(value, spoken))
    if isco := _ISCO.search(address):
        return Code(scheme="isco-08", code=isco.group(1), label=_label(value, spoken))
    if isinstance(value, dict):
        code = text(value.get("codeValue")) or text(value.get("termCode"))
        code_set = _address(value.get("inCodeSet")) or _address(value.get("inDefinedTermSet"))
        for names, form, scheme in _CODE_SETS:
            if names.search(code_set) and form.fullmatch(code):
                return Code(scheme=scheme, code=code, label=_label(value, spoken))
    if match := _ONET.fullmatch(text(value)):
        label = match.group(2).strip()[:_LABEL]
        return Code(scheme="onet-soc", code=match.group(1), label={spoken: label} if label else None)
    return None


def _address(value: object) -> str:
    """All that may hold the address of a concept or code set, in one text."""
    if isinstance(value, dict):
        return " ".join(text(value.get(key)) for key in ("@id", "url", "sameAs", "termCode", "codeValue", "name"))
    return text(value)


def _label(value: object, spoken: str) -> dict[str, str] | None:
    name = text(value.get("name")) if isinstance(value, dict) else ""
    return {spoken: name[:_LABEL]} if name else None


def _region(place: object, spoken: str) -> Code | None:
    """Of a `Place`, an address, a country or state, or a text."""
    if isinstance(place, dict):
        address = next(iter(items(place.get("address"))), place)
        if isinstance(address, dict) and any(key.startswith("address") for key in address):
            return _of_address(address, spoken)
        if "Country" in types(place):
            return region(country(text(place)), None, text(place)[:_LABEL] or None, spoken)
        return _of_text(text(address) or text(place), spoken)
    return _of_text(text(place), spoken)


def _of_address(address: Node, spoken: str) -> Code | None:
    state = text(address.get("addressRegion"))
    nation = country(text(address.get("addressCountry")))
    if not text(address.get("addressCountry")) and re.fullmatch(r"[A-Za-z]{2}-[A-Za-z0-9]{1,3}", state):
        nation = country(state[:2])
    if nation is None:
        return None
    within = part(nation, state) if state else None
    if within is None and nation == "CN":
        state = text(address.get("addressLocality"))
        within = part(nation, state)
    label = state if within else text(address.get("addressCountry"))
    return region(nation, within, label[:_LABEL] or None, spoken)


def _of_text(written: str, spoken: str) -> Code | None:
    """`…, region, country`. Two letters at the end are as often a state of the United States as a country."""
    parts = [one.strip() for one in re.split(r"[,，]", written) if one.strip()]
    if not parts:
        return None
    last = parts[-1]
    nation = country(last) if len(last) > 2 or last in {"US", "UK"} else None  # noqa: PLR2004 - letters
    if nation is None:
        within = part("CN", last) if re.match(r"[\u4e00-\u9fff]", last) else None
        return region("CN", within, last[:_LABEL], spoken) if within else None
    within = part(nation, parts[-2]) if len(parts) > 1 else None
    return region(nation, within, (parts[-2] if within else last)[:_LABEL], spoken)
