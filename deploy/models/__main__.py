"""`python -m deploy.models`: fetches the sentence models and computes the labels' vectors, if need be.

`--optional` (set-up) takes a failure for what it is, a platform that matches by words alone, and says so.
`pin` writes deploy/models/SHA256SUMS anew after a change of the pom.
"""

import argparse
import sys

from deploy.downloads import SetupError, say
from deploy.models import ensure, pin


def main() -> None:
    """Fetch, compute, say where."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.models", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", choices=["fetch", "pin"], default="fetch")
    parser.add_argument("--quiet", action="store_true", help="print nothing when all is there")
    parser.add_argument("--optional", action="store_true", help="do not fail without the models")
    options = parser.parse_args()
    try:
        if options.command == "pin":
            pin()
            say("wrote deploy/models/SHA256SUMS: read its diff before you commit it")
            return
        folder = ensure()
    except SetupError as error:
        if not options.optional:
            sys.exit(str(error))
        say(f"no sentence models, titles are linked by their words alone: {error}")
        return
    if not options.quiet:
        print(folder)


if __name__ == "__main__":
    main()
