"""Pay by hour, day, week or year as pay by the month, and what is no pay at all.

A month has 21.75 paid days of 8 hours: (365 - 104) / 12, by the notices of China's Ministry of Human Resources on a
month's average working time (人社部发 2008 年 3 号; 2025 年 2 号 keeps it). A year has 12 months and 52 weeks. By the
same hours a year has 2,088 of them, where the United States count 2,087 (5 U.S.C. 5504(b)) or 2,080.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from shared.contracts.common import EmploymentType, Pay

MOST: Final = 10_000_000
"""Of `shared.contracts.common.Amount`, a month."""
MONTHLY: Final[Mapping[str, Decimal]] = {
    "HOUR": Decimal("21.75") * 8,
    "DAY": Decimal("21.75"),
    "WEEK": Decimal(52) / 12,
    "MONTH": Decimal(1),
    "YEAR": Decimal(1) / 12,
}
"""How many of a unit a month has."""
UNITS: Final[Mapping[str, str]] = {
    **{unit: unit for unit in MONTHLY},
    "HOURLY": "HOUR", "DAILY": "DAY", "WEEKLY": "WEEK", "MONTHLY": "MONTH", "YEARLY": "YEAR",
    "ANNUAL": "YEAR", "ANNUALLY": "YEAR",
    "HUR": "HOUR", "WEE": "WEEK", "MON": "MONTH", "ANN": "YEAR",
    "小时": "HOUR", "时": "HOUR", "天": "DAY", "日": "DAY", "周": "WEEK", "月": "MONTH", "年": "YEAR",
}  # fmt: skip
"""Units by the words of schema.org, of New York City, and by UN/CEFACT's codes (HUR, DAY, WEE, MON, ANN)."""
CURRENCIES: Final[Mapping[str, str]] = {"RMB": "CNY"}
"""Names in use that are not of ISO 4217."""
_PIECEWISE: Final = frozenset({"HOUR", "DAY"})


def monthly(
    least: Decimal | None, most: Decimal | None, unit: str, currency: str, kind: EmploymentType | None
) -> Pay | str:
    """A range of pay by a unit (`MONTHLY`'s) as a month's, or the code of the fault why there is none.

    Zero as the lesser end is no amount. `kind` part-time: its hours are not known, so neither is its month.
    """
    amounts = [amount for amount in (least, most) if amount is not None]
    if any(not amount.is_finite() or not 0 <= amount <= MOST * 12 for amount in amounts) or not any(amounts):
        return "pay_out_of_range"
    if unit in _PIECEWISE and kind is EmploymentType.PART_TIME:
        return "pay_part_time"
    low, high = (_whole(amount, unit) for amount in (least, most))
    if (low is not None and high is not None and low > high) or any(end > MOST for end in (low, high) if end):
        return "pay_out_of_range"
    if low is None and high is None:
        return "pay_out_of_range"
    return Pay(min=low, max=high, currency=currency)


def currency_of(text: str) -> str | None:
    """The code of ISO 4217 that a text is; None if it is none by its shape."""
    code = text.strip().upper()
    code = CURRENCIES.get(code, code)
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None  # noqa: PLR2004 - ISO 4217


def unit_of(text: str) -> str | None:
    """The unit of time that a word or code means, as `MONTHLY` has it."""
    return UNITS.get(text.strip().upper())


def _whole(amount: Decimal | None, unit: str) -> int | None:
    whole = 0 if amount is None else int((amount * MONTHLY[unit]).to_integral_value(ROUND_HALF_UP))
    return whole or None
