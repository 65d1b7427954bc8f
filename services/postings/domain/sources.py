"""Whether a record's `ce_source` names the partner on whose topic it lies."""

from __future__ import annotations

import re
from typing import Final

_PARTNER: Final = re.compile(r"urn:partner:([^:/?#]*)", re.IGNORECASE)


def names_another(partner: str, source: str) -> bool:
    """True if `source` begins `urn:partner:<id>` with an id that is not this partner's.

    What may follow (`:`, `/`, `?`, `#`) is the partner's own affair, and so is any source of another kind: only the
    topic says whose a record is, and this refuses a record that contradicts it.
    """
    named = _PARTNER.match(source.strip())
    return named is not None and named[1].lower() != partner
