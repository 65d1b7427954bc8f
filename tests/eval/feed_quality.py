"""How well real ads are read: `python -m tests.eval.feed_quality` writes `out/feed-quality.md`.

Counts over all JobTech ads; and for 30 of them, drawn by a fixed seed, each thing that was found with a
judgement of it, in two readings. They lie in `tests/data/linked_ads`, by ad, concept and role, so what a changed
linker finds anew is shown as unjudged and counts as wrong until it is judged. The bars hold for each reading.

`--unjudged` prints the lines to judge in that file's form. Ends with 1 if a bar is not reached.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from deploy.servers import PROJECT
from deploy.taxonomy import ensure
from services.postings.domain import jobtech
from services.postings.domain.submission import Submission
from shared.contracts.partners import JobTechAdPublished
from shared.linking.skills import Linker, joined, load
from shared.taxonomy import Taxonomy
from shared.taxonomy import load as load_taxonomy
from tests.eval.measures import agreement

SOURCES: Final = PROJECT.parent / "shared" / "data"
READINGS: Final = [
    PROJECT / "tests" / "data" / "linked_ads" / name for name in ("judgements.tsv", "judgements_second_reading.tsv")
]
OUT: Final = PROJECT / "out" / "feed-quality.md"
SEED: Final = 20261124
SHOWN: Final = 30
NOT_TUNED: Final = (
    "Labels and lists were written from the other ads. While these were judged one fault of the rules was mended: "
    "under a heading of wishes everything is a wish. Later plain demands (we seek a ...) were taken for demands; the "
    "phrases come from forty other ads, but the readings of these had shown that they were missing."
)
GOOD: Final = ("right", "partly")
BARS: Final = {"occupation": 0.90, "skill": 0.80}


class Thing(NamedTuple):
    """One thing that is said of an ad."""

    kind: str
    """`occupation` (the partner's own code) or `skill` (read)."""
    key: str
    role: str
    """`required` or `preferred`; empty for an occupation."""


@dataclass(frozen=True)
class Ad:
    """An ad as postings takes it in, and what is known of it."""

    id: str
    title: str
    text: str
    occupation: str | None
    """`scheme:code`."""
    occupation_label: str
    coded: int
    """Skills and work experiences that the partner gave as codes."""
    found: Mapping[Thing, str]
    """To the words in the ad, or the code's label."""


def main() -> None:
    """Read, judge, write."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--unjudged", action="store_true", help="print what has no judgement yet")
    given = arguments.parse_args()
    folder = {"TAXONOMY_DIR": str(SOURCES)}
    taxonomy = load_taxonomy(ensure(folder))
    linker = load(taxonomy, PROJECT / ".cache")
    ads = list(read_ads(linker))
    shown = drawn(ads)
    readings = [judgements(path) for path in READINGS]
    if given.unjudged:
        for path, judged in zip(READINGS, readings, strict=True):
            print(f"# {path.name}")
            print_unjudged(shown, judged, taxonomy)
        return
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(report(ads, shown, readings, Names(taxonomy, linker.version)), encoding="utf-8")
    shares = {kind: [good_share(shown, judged, kind) for judged in readings] for kind in BARS}
    said = (
        f"{kind}s right or partly {' and '.join(f'{share:.0%}' for share in found)}" for kind, found in shares.items()
    )
    print(f"{OUT}: {', '.join(said)}; the two readings: {alike(shown, readings)}")
    sys.exit(any(share < BARS[kind] for kind, found in shares.items() for share in found))


class Names(NamedTuple):
    """What the report needs to name what was found."""

    taxonomy: Taxonomy
    version: str

    def label(self, key: str) -> str:
        """In English."""
        return self.taxonomy.concepts[key].labels.get("en", key)


def read_ads(linker: Linker) -> Iterator[Ad]:
    """All ads of the feed that postings accepts."""
    with gzip.open(SOURCES / "jobtech_ads.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            raw = json.loads(line)
            submission = jobtech.read(JobTechAdPublished.model_validate(raw))
            if isinstance(submission, Submission):
                yield _ad(raw["id"], submission, linker)


def _ad(name: str, submission: Submission, linker: Linker) -> Ad:
    terms = submission.terms
    title, text = terms.title[jobtech.LANGUAGE], terms.description.get(jobtech.LANGUAGE, "")
    full = joined(title, text)
    found: dict[Thing, str] = {}
    label = ""
    if terms.occupation is not None:
        label = next(iter((terms.occupation.label or {}).values()), "")
        found[Thing("occupation", terms.occupation.key, "")] = label
    for each in linker.posting(title, text):
        role = "required" if each.required else "preferred"
        found[Thing("skill", each.key, role)] = full[slice(*each.span)]
    return Ad(
        id=name,
        title=title,
        text=text,
        occupation=terms.occupation.key if terms.occupation else None,
        occupation_label=label,
        coded=len(terms.required_skills) + len(terms.preferred_skills),
        found=found,
    )


def drawn(ads: list[Ad]) -> list[Ad]:
    """The ads that are judged: by their ids, so that the feed's order does not matter."""
    chosen = set(random.Random(SEED).sample(sorted(ad.id for ad in ads), SHOWN))
    return [ad for ad in ads if ad.id in chosen]


Judged = Mapping[tuple[str, Thing], tuple[str, str]]


def judgements(path: Path) -> Judged:
    """Ad and thing to (`right`, `partly` or `wrong`, why)."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        (row["ad"], Thing(row["kind"], row["key"], row["role"])): (row["judgement"], row["note"] or "") for row in rows
    }


def alike(shown: list[Ad], readings: Sequence[Judged]) -> dict[str, float]:
    """How far both readings agree (`agreement`)."""
    unjudged = ("unjudged", "")
    first, second = ([judged.get((ad.id, one), unjudged)[0] for ad in shown for one in ad.found] for judged in readings)
    return agreement(list(zip(first, second, strict=True)))


def good_share(shown: list[Ad], judged: Judged, kind: str) -> float:
    """Right or partly, of everything of this kind in the ads shown; the unjudged count as wrong."""
    verdicts = [
        judged.get((ad.id, thing), ("unjudged", ""))[0] for ad in shown for thing in ad.found if thing.kind == kind
    ]
    return sum(verdict in GOOD for verdict in verdicts) / len(verdicts) if verdicts else 0.0


def print_unjudged(shown: list[Ad], judged: Judged, taxonomy: Taxonomy) -> None:
    """Lines in the form of the judgements, without the judgement."""
    for ad in shown:
        for thing, words in ad.found.items():
            if (ad.id, thing) not in judged:
                concept = taxonomy.concepts.get(thing.key)
                label = concept.labels["en"] if concept and thing.kind == "skill" else words
                print(
                    "\t".join((ad.id, thing.kind, thing.key, thing.role, "", f"{label} <- {' '.join(words.split())}"))
                )


def report(ads: list[Ad], shown: list[Ad], readings: Sequence[Judged], names: Names) -> str:
    """The page."""
    return "\n".join((*_counts(ads, names), *_totals(shown, readings), *_each(shown, readings, names))) + "\n"


def _counts(ads: list[Ad], names: Names) -> Iterator[str]:
    total = len(ads)
    skills = [sum(thing.kind == "skill" for thing in ad.found) for ad in ads]
    required = sum(thing.role == "required" for ad in ads for thing in ad.found)
    yield from ("# What was read in real ads", "", f"Linker and taxonomy: `{names.version}`.", "")
    yield from ("| of the ads in the JobTech form that postings takes | share |", "| --- | --- |")
    yield f"| all | {total} |"
    yield f"| with a text | {sum(bool(ad.text) for ad in ads) / total:.1%} |"
    yield f"| with an occupation, coded by the partner | {sum(ad.occupation is not None for ad in ads) / total:.1%} |"
    yield f"| with skills or work experience coded by the partner | {sum(ad.coded > 0 for ad in ads) / total:.1%} |"
    yield f"| with skills that were read | {sum(count > 0 for count in skills) / total:.1%} |"
    yield f"| with at least three skills that were read | {sum(count >= 3 for count in skills) / total:.1%} |"
    yield f"| skills read, mean of an ad | {sum(skills) / total:.1f} |"
    yield f"| of these required | {required / max(1, sum(skills)):.0%} |"
    yield ""


def _totals(shown: list[Ad], readings: Sequence[Judged]) -> Iterator[str]:
    yield f"## {len(shown)} of them, judged"
    yield from ("", f"Drawn by seed {SEED}. {NOT_TUNED} An unjudged one counts as wrong.", "")
    yield "| | reading | right | partly | wrong | unjudged | right or partly | bar |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for kind, bar in BARS.items():
        for number, judged in enumerate(readings, 1):
            counts = Counter(
                judged.get((ad.id, thing), ("unjudged", ""))[0]
                for ad in shown
                for thing in ad.found
                if thing.kind == kind
            )
            share = good_share(shown, judged, kind)
            cells = " | ".join(str(counts[verdict]) for verdict in (*GOOD, "wrong", "unjudged"))
            yield f"| {kind}s | {number} | {cells} | {share:.1%} | {bar:.0%} |"
    agreed = alike(shown, readings)
    yield from ("", f"The two readings are alike in {agreed['alike']:.1%} (Cohen's kappa {agreed['kappa']:.2f}).", "")


def _each(shown: list[Ad], readings: Sequence[Judged], names: Names) -> Iterator[str]:
    for ad in shown:
        yield from (f"### {ad.title.strip() or ad.id}", "", f"`{ad.id}`, {len(ad.text)} characters", "")
        yield from ("| found | role | in the words | judgement | second reading |", "| --- | --- | --- | --- | --- |")
        for thing, words in ad.found.items():
            said = [judged.get((ad.id, thing), ("unjudged", "")) for judged in readings]
            cells = " | ".join(f"{verdict}{': ' + note if note else ''}" for verdict, note in said)
            label = f"{thing.key} {words}" if thing.kind == "occupation" else names.label(thing.key)
            shown_words = "" if thing.kind == "occupation" else " ".join(words.split()).replace("|", "/")
            yield f"| {label} | {thing.role or 'occupation'} | {shown_words} | {cells} |"
        yield ""


if __name__ == "__main__":
    main()
