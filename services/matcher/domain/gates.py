"""The gates by name, and as bits."""

from __future__ import annotations

from typing import Final

GATES: Final = (
    "open",
    "valid",
    "active",
    "consent",
    "region",
    "education",
    "experience",
    "pay",
    "employment_type",
    "licences",
)
"""In the order in which they are named. A list's `unknown` may also name `occupation` and `distance`: no gates."""
VALID: Final = 1 << 1
REGION: Final = 1 << 4
EDUCATION: Final = 1 << 5
EXPERIENCE: Final = 1 << 6
PAY: Final = 1 << 7
EMPLOYMENT: Final = 1 << 8
LICENCES: Final = 1 << 9
SWITCHED: Final = REGION | EDUCATION | EXPERIENCE | PAY | EMPLOYMENT | LICENCES
"""Gates that a policy may switch off."""
OCCUPATION: Final = 1 << 10
DISTANCE: Final = 1 << 11
