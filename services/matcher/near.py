"""Writes a matching policy with tables of near skills and occupations, out of another one; sets nothing.

python -m services.matcher.near near.toml --base my.toml    (`make policy-near FILE=near.toml BASE=my.toml`)

What is near is worked out of the taxonomy and the sentence models (`shared.linking.near`); nothing else of the other
policy is changed. The version ends with a hash of the tables, so the same taxonomy, models and policy give the same
file. TAXONOMY_FILE, TAXONOMY_DIR and MODELS_DIR in the environment say where they are.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from services.matcher.domain.occupations import MINOR, SUB_MAJOR, UNIT
from services.matcher.domain.policy import CURRENT, Occupation, Policy, parse
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.policies import History
from shared.linking.hubs import hubs_file, load_hubs
from shared.linking.meaning import Encoder, models_folder
from shared.linking.near import Table, near_occupations, near_skills
from shared.taxonomy import Taxonomy, load, place

TABLES: Final = ("related_skills", "related_occupations")
SEED: Final = 20261128
VERSION_LENGTH: Final = 31
"""Characters of the other policy's version that are kept: with the hash they are at most 40."""
_HEADER: Final = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+)")


def by_groups(taxonomy: Taxonomy, occupation: Occupation, one: str, other: str) -> int:
    """The closeness of two ESCO occupations by their groups of ISCO-08, in permille, as the policy gives it anyway."""
    if occupation.unit_group is None:
        return 0
    steps = ((UNIT, occupation.unit_group), (MINOR, occupation.narrow_group), (SUB_MAJOR, occupation.broad_group))
    places, others = (taxonomy.isco(*key.split(":", 1)) for key in (one, other))
    return max(
        (
            permille
            for length, permille in steps
            for mine in places
            for theirs in others
            if len(mine) >= length and mine[:length] == theirs[:length]
        ),
        default=0,
    )


def line(concept: str, near: Mapping[str, int]) -> str:
    """A concept's neighbours in the policy's short form. All are of its own scheme."""
    grades: dict[int, list[str]] = {}
    for key, permille in near.items():
        grades.setdefault(permille, []).append(key.partition(":")[2])
    told = "; ".join(f"{permille}: {' '.join(codes)}" for permille, codes in grades.items())
    return f'"{concept}" = "{told}"'


def rewritten(text: str, tables: Mapping[str, Table]) -> str:
    """A policy (TOML) with these tables in the place of its own, and a version that says so.

    Comments and everything else stay as they are. Raises ValueError for what is no policy, or for one whose tables
    are not under headers of their own.
    """
    base = parse(text)
    lines = {name: [line(*entry) for entry in sorted(table.items())] for name, table in tables.items()}
    version = f"{base.version[:VERSION_LENGTH]}+{hashlib.sha256(repr(lines).encode()).hexdigest()[:8]}"
    made = "\n".join(_exchanged(text, lines, version)) + "\n"
    wanted = base.model_copy(update={"version": version, **tables})
    if parse(made) != wanted:
        raise ValueError(f"write {' and '.join(TABLES)} of the policy under headers, as the packaged one does")
    return made


def _exchanged(text: str, tables: Mapping[str, list[str]], version: str) -> Iterator[str]:
    table, written = "", set[str]()
    for row in text.splitlines():
        header = _HEADER.match(row)
        table = header[1] if header else table
        if not table and re.match(r"version\s*=", row):
            yield f'version = "{version}"'
        elif table not in tables or not row.strip() or row.lstrip().startswith("#"):
            yield row
        elif table not in written:
            yield f"[{table}]"
            yield from tables[table]
            written.add(table)
    for name in tables.keys() - written:
        yield f"\n[{name}]"
        yield from tables[name]


def tables_of(settings: MatcherSettings, base: Policy) -> tuple[dict[str, Table], Taxonomy]:
    """What is near. Raises FileNotFoundError, with what to type, where taxonomy, models or vectors are missing."""
    file = place(settings.taxonomy_file, settings.taxonomy_dir)
    taxonomy = load(file)
    encoder = Encoder(models_folder(settings.models_dir), threads=os.cpu_count() or 1, remembered=1)
    vectors = hubs_file(file, encoder.version)
    hubs = load_hubs(vectors, taxonomy) if vectors.exists() else None
    if hubs is None:
        raise FileNotFoundError(f"no vectors of the labels in {vectors}: `python -m deploy.models` computes them")
    sys.stderr.write("reading the labels of all skills (once, a minute or two)\n")
    skills = near_skills(taxonomy, encoder)
    occupations = near_occupations(hubs["en"], lambda one, other: by_groups(taxonomy, base.occupation, one, other))
    return {"related_skills": skills, "related_occupations": occupations}, taxonomy


def drawn(table: Table, taxonomy: Taxonomy, count: int) -> Iterator[str]:
    """So many of its pairs, the same ones every time, for people to judge."""
    pairs = sorted((concept, other, permille) for concept, near in table.items() for other, permille in near.items())
    for concept, other, permille in random.Random(SEED).sample(pairs, min(count, len(pairs))):  # noqa: S311 - a sample
        names = (taxonomy.concepts[key].labels.get("en", key) for key in (concept, other))
        yield "\t".join((str(permille), *names, concept, other))


def main() -> int:
    """The command; 1 if something is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m services.matcher.near",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="where to write the policy")
    parser.add_argument("--base", type=Path, default=CURRENT, help="the policy to begin with (default: the packaged)")
    parser.add_argument("--sample", type=int, default=0, help="also print so many pairs of each table")
    given = parser.parse_args()
    try:
        text = given.base.read_text("utf-8")
        tables, taxonomy = tables_of(MatcherSettings(), parse(text))
        made = rewritten(text, tables)
        now = datetime.now(UTC)
        History(now).setting(made, now, "near")  # refuses what is too large for a record
        given.file.write_text(made, "utf-8")
    except (ValueError, OSError) as error:
        sys.stderr.write(f"Not done: {error}\n")
        return 1
    for name, table in tables.items():
        sys.stdout.write(f"{name}: {sum(map(len, table.values())):,} pairs of {len(table):,} concepts\n")
        sys.stdout.writelines(f"{row}\n" for row in drawn(table, taxonomy, given.sample))
    sys.stdout.write(f"{given.file}: {parse(made).version}, {len(made.encode()):,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
