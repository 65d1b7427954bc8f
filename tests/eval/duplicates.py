"""How well the same vacancy from two sources is found: `python -m tests.eval.duplicates`, `make eval-duplicates`.

On pairs of real ads that were judged by reading (`tests/data/duplicates`), and on the whole feed against itself as a
second source would carry it. Ends with 1 if precision is below the bar.
"""

from __future__ import annotations

import csv
import gzip
import html
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import combinations
from math import sqrt
from typing import Any, Final, NamedTuple

from deploy.servers import PROJECT
from services.postings.domain import jobtech
from services.postings.domain.duplicates import judged, primaries
from services.postings.domain.likeness import blocks, likeness
from services.postings.domain.posting import cleaned, partner_employer_id, partner_posting_id, publish
from services.postings.domain.submission import Submission
from shared.contracts.common import Code
from shared.contracts.partners import JobTechAdPublished
from shared.contracts.postings import Posting, PostingSource
from tests.eval.measures import agreement

ADS: Final = PROJECT.parent / "shared" / "data" / "jobtech_ads.jsonl.gz"
JUDGEMENTS: Final = PROJECT / "tests" / "data" / "duplicates" / "judgements.tsv"
OUT: Final = PROJECT / "out" / "duplicates.json"
BAR: Final = 0.99
ASKED: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""Before every ad's end: all are open."""

Ids = tuple[str, str]
KINDS: Final = ("marked up", "fewer facts", "another label", "place in the title", "cut short", "county only")


class Judgement(NamedTuple):
    """`same`, `different` or `unsure`, twice."""

    first: str
    second: str

    @property
    def same(self) -> bool:
        """Both readings say so."""
        return self.first == self.second == "same"


@dataclass
class Found:
    """What was merged, in counts."""

    right: int = 0
    wrong: list[Ids] = field(default_factory=list)
    missed: int = 0
    doubts: int = 0

    @property
    def precision(self) -> float:
        """Of what was merged."""
        merged = self.right + len(self.wrong)
        return self.right / merged if merged else 1.0

    @property
    def recall(self) -> float:
        """Of what should have been."""
        wanted = self.right + self.missed
        return self.right / wanted if wanted else 1.0

    def report(self) -> dict[str, Any]:
        """As JSON."""
        merged = self.right + len(self.wrong)
        return {
            "merged": merged,
            "wrong": len(self.wrong),
            "precision": round(self.precision, 4),
            "precision_at_least": round(_least(self.right, merged), 4),
            "recall": round(self.recall, 4),
            "wanted": self.right + self.missed,
            "doubts": self.doubts,
        }


def read_ads() -> dict[str, dict[str, Any]]:
    """The feed as it is, by id."""
    with gzip.open(ADS, "rt", encoding="utf-8") as file:
        return {ad["id"]: ad for ad in map(json.loads, file)}


def judgements() -> dict[Ids, Judgement]:
    """By the two ids, the lesser first."""
    with JUDGEMENTS.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {(row["first"], row["second"]): Judgement(row["first_reading"], row["second_reading"]) for row in rows}


def taken(ads: Mapping[str, dict[str, Any]], partner: str) -> dict[str, Posting]:
    """The ads as postings of a partner, as intake makes them, by the ads' ids."""
    postings = {}
    for name, ad in ads.items():
        submission = jobtech.read(JobTechAdPublished.model_validate(ad))
        if isinstance(submission, Submission):
            postings[name] = _posting(partner, submission)
    return postings


def _posting(partner: str, submission: Submission, **other: object) -> Posting:
    terms = cleaned(submission.terms.model_copy(update=other))
    reference = None if other else submission.employer_reference
    return publish(
        terms,
        posting_id=partner_posting_id(partner, submission.id),
        employer_id=partner_employer_id(partner, reference, terms.employer_name),
        source=PostingSource(partner=partner, id=submission.id),
        now=ASKED,
    )


def kind_of(name: str) -> str:
    """How the second source writes this ad: the same each time."""
    return KINDS[int(sha256(name.encode()).hexdigest(), 16) % len(KINDS)]


def carried(ads: Mapping[str, dict[str, Any]], partner: str) -> dict[str, Posting]:
    """The ads as a second source would write them, which knows no organisation numbers."""
    postings = {}
    for name, ad in ads.items():
        submission = jobtech.read(JobTechAdPublished.model_validate(ad))
        if isinstance(submission, Submission):
            postings[name] = _posting(partner, submission, **_rewritten(submission, kind_of(name)))
    return postings


def _rewritten(submission: Submission, kind: str) -> dict[str, object]:
    terms = submission.terms
    title, text = terms.title[jobtech.LANGUAGE], terms.description.get(jobtech.LANGUAGE, "")
    bare = re.sub(r"\s*(\(publ\)|\bAB\b)\s*", " ", terms.employer_name or "", flags=re.IGNORECASE).strip().upper()
    other: dict[str, object] = {"employer_name": bare or None}
    match kind:
        case "marked up":
            paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in text.split("\n") if line.strip())
            other["description"] = {jobtech.LANGUAGE: paragraphs}
        case "fewer facts":
            other |= {"occupation": None, "employment_type": None, "valid_through": None, "openings": 1}
        case "another label":
            other |= {"title": {"en": title}, "description": {"en": text}}
        case "place in the title":
            place = next((one for region in terms.regions for one in (region.label or {}).values()), "")
            other["title"] = {jobtech.LANGUAGE: f"{title} - {place}"}
        case "cut short":
            other["description"] = {jobtech.LANGUAGE: text[: len(text) // 2] + "…"}
        case "county only":
            other["regions"] = tuple(
                Code(scheme=one.scheme, code=one.code[:2]) if one.scheme == "scb" else one for one in terms.regions
            )
    return other


def of_pairs(postings: Mapping[str, Posting], labels: Mapping[Ids, Judgement]) -> Found:
    """The judged pairs, each as if from two sources."""
    found = Found()
    for ids, judgement in labels.items():
        like = likeness(*(postings[one] for one in ids))
        found.doubts += like.doubtful
        if like.agrees and judgement.same:
            found.right += 1
        elif like.agrees:
            found.wrong.append(ids)
        elif judgement.same:
            found.missed += 1
    return found


def of_feeds(
    ours: Mapping[str, Posting], theirs: Mapping[str, Posting], labels: Mapping[Ids, Judgement]
) -> tuple[Found, Counter[str]]:
    """Two feeds at once, merged as the service does it; and of what kind the copies are that were merged."""
    everything = {one.id: one for one in (*ours.values(), *theirs.values())}
    pairs = [
        pair
        for a, b in _met(everything.values())
        if (pair := judged(None, everything[a], everything[b], ASKED)) is not None
    ]
    found, kinds = Found(), Counter[str]()
    found.doubts = sum(not pair.agrees for pair in pairs)
    merged = _named(primaries(everything, pairs), everything)
    for name in theirs:
        if name not in merged:
            found.missed += 1
        elif merged[name] == name or _same(labels, name, merged[name]):
            found.right += 1
            kinds[kind_of(name)] += 1
        else:
            found.wrong.append((name, merged[name]))
    return found, kinds


def _met(postings: Iterable[Posting]) -> set[Ids]:
    """Pairs that share a block."""
    met: defaultdict[str, list[str]] = defaultdict(list)
    for posting in postings:
        for block in blocks(posting):
            met[block].append(posting.id)
    return {(min(ids), max(ids)) for members in met.values() for ids in combinations(members, 2)}


def _named(into: Mapping[str, str], everything: Mapping[str, Posting]) -> dict[str, str]:
    """The second source's ads and ours that they were merged with, whichever is the primary."""
    merged = {}
    for ids in into.items():
        ours, theirs = sorted((everything[one] for one in ids), key=lambda one: one.source.partner or "")
        merged[theirs.source.id or ""] = ours.source.id or ""
    return merged


def _same(labels: Mapping[Ids, Judgement], one: str, other: str) -> bool:
    judgement = labels.get((min(one, other), max(one, other)))
    return judgement is not None and judgement.same


def _least(right: int, merged: int) -> float:
    """The lower end of Wilson's 95 % interval of a share."""
    if not merged:
        return 0.0
    z, share = 1.96, right / merged
    middle = share + z * z / (2 * merged)
    return (middle - z * sqrt(share * (1 - share) / merged + z * z / (4 * merged**2))) / (1 + z * z / merged)


def measure() -> dict[str, Any]:
    """Everything, as JSON."""
    ads, labels = read_ads(), judgements()
    ours, theirs = taken(ads, "first"), carried(ads, "second")
    feeds, kinds = of_feeds(ours, theirs, labels)
    of_kind = Counter(map(kind_of, theirs))
    return {
        "judged": {
            "pairs": len(labels),
            "readings": agreement(list(labels.values())),
            **of_pairs(ours, labels).report(),
        },
        "carried": {
            "ads": len(theirs),
            **feeds.report(),
            "recall_by_kind": {kind: round(kinds[kind] / of_kind[kind], 3) for kind in KINDS},
        },
    }


def main() -> None:
    """Measure, print, write."""
    report = measure()
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    for name, figures in report.items():
        print(f"{name}: " + ", ".join(f"{which} {value}" for which, value in figures.items()))
    print(OUT)
    sys.exit(any(figures["precision"] < BAR for figures in report.values()))


if __name__ == "__main__":
    main()
