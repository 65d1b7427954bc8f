"""Print a development token, for example `python -m deploy.token --role seeker --sub s1`.

Makes the development keys if there are none.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import get_args

from shared.auth import Role, ensure_dev_keys, mint


def main() -> None:
    """Write the token, and nothing else, to standard output, so that it can stand in `$(…)`."""
    parser = argparse.ArgumentParser(prog="python -m deploy.token", description="Print a development token.")
    parser.add_argument("--role", required=True, choices=get_args(Role))
    parser.add_argument("--sub", help="who it is; for a seeker the seeker's id (default: the role's name)")
    parser.add_argument("--employer", help="for the role employer: the employer's id (default: sub)")
    parser.add_argument("--partner", help="for the role partner: the partner's id (default: sub)")
    parser.add_argument("--ttl", type=int, default=86_400, help="seconds that it is valid (default: a day)")
    parser.add_argument("--keys-dir", type=Path, default=Path(".dev/keys"))
    given = parser.parse_args()
    sub = given.sub or given.role
    employer = (given.employer or sub) if given.role == "employer" else None
    partner = (given.partner or sub) if given.role == "partner" else None
    ensure_dev_keys(given.keys_dir)
    token = mint(given.keys_dir, given.role, sub, employer, partner, given.ttl)
    sys.stdout.write(token + "\n")


if __name__ == "__main__":
    main()
