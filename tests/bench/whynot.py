"""How long why and why not take in one process: `make bench-whynot`.

The matcher's index with all profiles and postings, and one question after another: of a pair what would open its
gates (`pair`), of a posting what would bring more people (`reach`), of a seeker what would unlock postings
(`unlocks`). Questions come one at a time; anchors are drawn from those that are stored.
Prints, and writes `out/bench/whynot.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from deploy.demo.latency import percentile
from deploy.servers import PROJECT
from services.matcher.domain import Index, load, warm
from services.matcher.domain.changes import nearest
from services.matcher.domain.reasons import outlook
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.taxonomy import ties_of
from shared.contracts.recommendations import AnchorKind
from tests.bench.machine import commit, machine
from tests.bench.workload import NOW, Workload, posting_id, seeker_id

OUT: Final = PROJECT / "out" / "bench" / "whynot.json"
WARM_UP: Final = 20


def filled(given: argparse.Namespace) -> Index:
    """The index with everything in it, written and ready."""
    policy = load()
    warm(policy)
    ties = ties_of(MatcherSettings())
    index, workload = Index(policy, ties), Workload(ties, given.seed)
    for profile in workload.profiles(0, given.profiles):
        index.upsert_profile(profile)
    for posting in workload.postings(0, given.postings):
        index.upsert_posting(posting)
    index.flush()
    return index


def drawn(name: Callable[[int], str], stored: int, count: int) -> list[str]:
    """Ids of those that are stored, at random."""
    return [name(number) for number in np.random.default_rng(stored).choice(stored, count).tolist()]


def row(
    question: str, ask: Callable[[str, str], int], postings: Sequence[str], seekers: Sequence[str]
) -> dict[str, Any]:
    """Milliseconds of one question, and how much its answers say; `ask` gives how many changes that is."""
    times, said = [], []
    for place, (posting, seeker) in enumerate(zip(postings, seekers, strict=True)):
        started = time.perf_counter()
        count = ask(posting, seeker)
        if place >= WARM_UP:
            times.append((time.perf_counter() - started) * 1000)
            said.append(count)
    spread = {f"p{percent}_ms": round(percentile(times, percent), 3) for percent in (50, 99)}
    return {
        "question": question,
        **spread,
        "max_ms": round(max(times), 3),
        "questions": len(times),
        "changes": round(sum(said) / len(said), 1),
    }


def measured(index: Index, given: argparse.Namespace) -> list[dict[str, Any]]:
    """Each question of as many anchors."""
    count = given.questions + WARM_UP
    postings, seekers = drawn(posting_id, given.postings, count), drawn(seeker_id, given.profiles, count)

    def pair(posting: str, seeker: str) -> int:
        found = index.judge(posting, seeker, NOW)
        return len(nearest(index, posting, seeker, found.failed)) if found else 0

    def gains(kind: AnchorKind, anchor: str) -> int:
        found = outlook(index, kind, anchor, NOW)
        return len(found.gains) if found else 0

    return [
        row("pair", pair, postings, seekers),
        row("reach", lambda posting, _: gains(AnchorKind.POSTING, posting), postings, seekers),
        row("unlocks", lambda _, seeker: gains(AnchorKind.SEEKER, seeker), postings, seekers),
    ]


def main() -> int:
    """Run, print, write."""
    options = argparse.ArgumentParser(prog="make bench-whynot", description=__doc__)
    options.add_argument("--profiles", type=int, default=1_000_000)
    options.add_argument("--postings", type=int, default=100_000)
    options.add_argument("--questions", type=int, default=500, help="of each kind")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    about = machine()
    print(about)
    rows = measured(filled(given), given)
    for one in rows:
        print("  ".join(f"{name} {value}" for name, value in one.items()))
    result = {"rows": rows, "settings": vars(given) | {"commit": commit()}, "machine": about}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written to {OUT.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
