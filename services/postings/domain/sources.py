"""What the source of a record or posting says: whether it is the partner's own, and whether it is only a trial."""

from __future__ import annotations

import re
from typing import Final

SANDBOX: Final = "sandbox-"
"""How the id of every partner begins that only tries, and of no other."""
_PARTNER: Final = re.compile(r"urn:partner:([^:/?#]*)", re.IGNORECASE)


def names_another(partner: str, source: str) -> bool:
    """True if `source` begins `urn:partner:<id>` with an id that is not this partner's.

    What may follow (`:`, `/`, `?`, `#`) is the partner's own affair, and so is any source of another kind: only the
    topic says whose a record is, and this refuses a record that contradicts it.
    """
    named = _PARTNER.match(source.strip())
    return named is not None and named[1].lower() != partner


def is_sandbox(partner: str | None) -> bool:
    """True for a partner whose postings never reach a seeker: no event tells of them, and only it may read them.

    An id never changes and never comes back, so no posting can become another kind than it was.
    """
    return partner is not None and partner.startswith(SANDBOX)
