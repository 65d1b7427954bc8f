"""`make taxonomy`: builds the taxonomy if need be and prints what is in it. `--quiet` only builds."""

import argparse
import re
import sys
import time
from collections.abc import Iterator, Mapping

from deploy.downloads import SetupError
from deploy.taxonomy import ensure
from shared.taxonomy import Taxonomy, load

SCHEMES = (
    ("ESCO occupations", "esco occupations"),
    ("ESCO skills", "esco skills"),
    ("groups of ESCO skills", "esco groups"),
    ("ISCO-08 groups", "isco-08 groups"),
    ("cn-2022 occupations", "cn-2022 occupations"),
    ("cn-2022 groups", "cn-2022 groups"),
)


def table(counts: Mapping[str, int]) -> Iterator[str]:
    """Lines for people: each kind of concept with its labels by language and its ties to ISCO-08."""
    columns = ("", "concepts", "en", "zh", "en labels", "zh labels", "tied to ISCO-08")
    yield "  {:22}{:>10}{:>8}{:>8}{:>11}{:>11}{:>17}".format(*columns)
    for title, name in SCHEMES:
        parts = ("", " en", " zh", " en labels", " zh labels", " tied")
        yield "  {:22}{:>10,}{:>8,}{:>8,}{:>11,}{:>11,}{:>17,}".format(
            title, *(counts.get(name + part, 0) for part in parts)
        )


def lines(taxonomy: Taxonomy) -> Iterator[str]:
    """The whole report."""
    counts = taxonomy.coverage
    yield f"taxonomy {taxonomy.version}"
    for part, source in taxonomy.sources.items():
        yield f"  {part}: {source}"
    yield ""
    yield from table(counts)
    yield f"  of the skills {counts['esco skills language']:,} are languages"
    for name, count in counts.items():
        if re.fullmatch(r"esco skills (?!en|zh)[a-z]{2}", name):
            yield f"  {count:,} skills have a label in {name[-2:]}"
    fits = {
        name.removeprefix("cn-2022 fit "): count for name, count in counts.items() if name.startswith("cn-2022 fit")
    }
    if fits:
        yield "  cn-2022 occupations by the fit of their minor group to ISCO-08: " + ", ".join(
            f"{fit} {count:,}" for fit, count in fits.items()
        )
    yield ""
    for name in ("essential", "optional"):
        total, chinese = counts[f"relations {name}"], counts[f"relations {name} zh"]
        share = f", {100 * chinese / total:.1f} % of them to skills with a Chinese label" if total else ""
        yield f"  {name} relations of occupations to skills: {total:,}{share}"
    yield f"  relations between skills (each counted in both directions): {counts['relations related']:,}"
    yield f"  regions with centres: {len(taxonomy.regions):,}"
    if not counts["relations essential"]:
        yield (
            "  This source has no relations of occupations to skills. The publishers' files have them:"
            " TAXONOMY_DIR=folder make taxonomy (shared/taxonomy/README.md)."
        )


def main() -> None:
    """Build if need be; print unless asked not to."""
    parser = argparse.ArgumentParser(prog="python -m deploy.taxonomy", description=__doc__)
    parser.add_argument("--quiet", action="store_true", help="build if need be, print nothing")
    options = parser.parse_args()
    try:
        path = ensure()
    except SetupError as error:
        sys.exit(str(error))
    if not options.quiet:
        before = time.perf_counter()
        taxonomy = load(path)
        took = time.perf_counter() - before
        print("\n".join(lines(taxonomy)))
        print(f"\n  {path} ({path.stat().st_size / 1e6:.1f} MB), loaded in {took:.2f} s")


if __name__ == "__main__":
    main()
