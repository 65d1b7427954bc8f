"""The matcher beside other ways to find the best twenty: `make bench-matcher`.

One run, on one thread, with the gates and the score of the matching policy:
- the matcher's index with all profiles and postings, in process: questions both ways, updates, memory, answers
  while updates come in and when many people pass the gates, the snapshot, and the rate of a rebuild;
- `--compared` of each in the matcher, in numpy (in process), and in MongoDB (a server).

A row of kind `posting` is about finding the best of `n` seekers for a posting; its `update_us` and `bytes` are a
profile's. A row of kind `profile` is the other way round. Recall is measured against `tests/oracle`; where there is
more than `--compared`, against numpy, which the oracle has checked with that many. Prints, and writes
`out/bench/matcher.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from rich.console import Console

from deploy.demo.progress import Bars
from deploy.servers import PROJECT, running_servers
from services.matcher.domain import Policy, warm
from services.matcher.domain import load as load_policy
from services.matcher.domain.ties import Ties
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.taxonomy import ties_of
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind
from tests.bench import measures, tables
from tests.bench.machine import commit, machine
from tests.bench.measures import Advance, Answers, Asked, Matcher
from tests.bench.mongodb import MongoPeer
from tests.bench.numpy_peer import NumpyPeer
from tests.bench.peers import Peer
from tests.bench.workload import Workload, posting_id, seeker_id

OUT: Final = PROJECT / "out" / "bench" / "matcher.json"
KINDS: Final = {AnchorKind.POSTING: "posting", AnchorKind.SEEKER: "profile"}
RATE: Final = 1_000
"""Updates a second while questions are asked; one of ten is a posting's."""
UPDATES: Final = 4_000
"""That are measured in batches, of each kind."""
SINGLES: Final = 2_000
"""That are measured one at a time."""
REBUILT: Final = 20_000
"""Records that are decoded and indexed; profiles to postings as ten to one."""
WIDTH: Final = 132
"""Of the tables in a file."""
VERSIONS: Final = 1_000
"""Each part of the run has so many to itself, because what is not newer is not taken in."""
BREADTH_QUESTIONS: Final = 100
COUNTED: Final = 20_000
"""Profiles of which the share that passes is counted."""


class Stage(NamedTuple):
    """What every part of the run needs."""

    given: argparse.Namespace
    console: Console
    policy: Policy
    ties: Ties
    workload: Workload


class World(NamedTuple):
    """How much there is."""

    postings: int
    profiles: int

    def searched(self, kind: AnchorKind) -> int:
        """Among how many the answer to an anchor of this kind is found."""
        return self.profiles if kind is AnchorKind.POSTING else self.postings

    def anchors(self, kind: AnchorKind, count: int) -> list[str]:
        """Drawn from those that are stored, each once if there are enough."""
        name, stored = (posting_id, self.postings) if kind is AnchorKind.POSTING else (seeker_id, self.profiles)
        drawn = np.random.default_rng(stored).choice(stored, count, replace=stored < count)
        return [name(number) for number in drawn.tolist()]


class Right(NamedTuple):
    """What the answers are compared with."""

    judge: str
    answers: Answers


@dataclass(frozen=True)
class Row:
    """What one peer does with one kind of question."""

    peer: str
    kind: str
    n: int
    p50_ms: float
    p99_ms: float
    recall: float
    update_us: float
    bytes: float
    questions: int
    entries: float
    """Mean length of an answer."""
    recall_against: str
    recall_of: int
    """Anchors whose answers were compared."""
    how: str
    note: str


def full(stage: Stage, world: World, folder: Path, grown: dict[AnchorKind, float]) -> tuple[list[Row], dict[str, Any]]:
    """The matcher with everything, and what else is to be known of it; `grown` takes the bytes of one of each."""
    given, matcher = stage.given, Matcher(stage.policy, stage.ties, grown)
    details: dict[str, Any] = {"load_s": fill(stage, matcher, world, grown)}
    asked = {kind: questions(stage, matcher, kind, world.anchors(kind, given.questions)) for kind in KINDS}
    stage.console.print("matcher: snapshot, updates, rebuild")
    some = world.anchors(AnchorKind.POSTING, 20)
    details["snapshot"] = measures.snapshot(matcher.index, stage.policy, folder / "index.snapshot", some)
    updates = {kind: measures.update_us(matcher, changed(stage, world, kind, UPDATES, 10)) for kind in KINDS}
    singles = changed(stage, world, AnchorKind.POSTING, SINGLES, 20)
    details["single_update"] = measures.single_update_us(matcher, singles)
    sample: list[Posting | Profile] = [
        *stage.workload.profiles(0, REBUILT * 10 // 11),
        *stage.workload.postings(0, REBUILT // 11),
    ]
    details["rebuild"] = measures.rebuild(stage.policy, stage.ties, sample, world.profiles + world.postings)
    details["while_updating"] = [busy(stage, matcher, world, kind) for kind in KINDS]
    details["breadths"] = breadths(stage, matcher, world)
    rows, judge = [], NumpyPeer(stage.workload, stage.policy, stage.ties, *world)
    fill(stage, judge, world, {})
    right = {
        kind: questions(stage, judge, kind, list(found.answers)[: given.peer_questions])
        for kind, found in asked.items()
    }
    for kind, found in asked.items():
        answers = right[kind].answers
        rows.append(row(matcher, world, kind, found, updates[kind], Right("numpy", answers)))
        if world.searched(kind) > given.compared:
            update = measures.update_us(judge, changed(stage, world, kind, UPDATES, 10))
            rows.append(row(judge, world, kind, right[kind], update, Right("itself", answers)))
    return rows, details


def beside(stage: Stage, world: World, url: str, known: Sequence[Row], grown: dict[AnchorKind, float]) -> Iterator[Row]:
    """All peers in a world that is small enough for each, judged by the oracle; no row twice."""
    given, right = stage.given, {}
    for kind, name in KINDS.items():
        wanted = frozenset(world.anchors(kind, given.peer_questions)[: given.judged])
        with counting(stage, f"oracle: lists of {len(wanted)} {name}s", world.searched(kind)) as advance:
            right[kind] = Right("oracle", measures.exact(stage.workload, kind, wanted, world, advance))
    matcher = Matcher(stage.policy, stage.ties, grown, "bytes as with all profiles and postings")
    numpy = NumpyPeer(stage.workload, stage.policy, stage.ties, *world)
    with MongoPeer(url, stage.policy, stage.ties) as mongodb:
        peers: tuple[Peer, ...] = (matcher, numpy, mongodb)
        for peer in peers:
            wanted_kinds = [
                kind
                for kind, name in KINDS.items()
                if (peer.name, name, world.searched(kind)) not in {(one.peer, one.kind, one.n) for one in known}
            ]
            fill(stage, peer, world, {})
            asked = {
                kind: questions(stage, peer, kind, world.anchors(kind, given.peer_questions)) for kind in wanted_kinds
            }
            for kind, found in asked.items():
                update = measures.update_us(peer, changed(stage, world, kind, UPDATES, 10))
                yield row(peer, world, kind, found, update, right[kind])


def rehearse(stage: Stage) -> None:
    """Once through all that is compiled, so that neither its time nor its memory is measured."""
    warm(stage.policy)
    matcher = Matcher(stage.policy, stage.ties, {})
    for made in (stage.workload.profiles(0, 100), stage.workload.postings(0, 100)):
        measures.load(matcher, made, lambda _: None)
    for kind in KINDS:
        matcher.take_in(changed(stage, World(100, 100), kind, 50, 1))
        measures.ask(matcher, kind, World(100, 100).anchors(kind, 10), lambda _: None)


def fill(stage: Stage, peer: Peer, world: World, grown: dict[AnchorKind, float]) -> dict[str, float]:
    """Profiles, then postings; gives the seconds of each, `grown` the bytes by which the process grew for one.

    Growth means something only the first time: later, memory is used again.
    """
    seconds = {}
    for kind, name in reversed(KINDS.items()):
        made: Iterator[Posting | Profile]
        if kind is AnchorKind.SEEKER:
            made, count = stage.workload.profiles(0, world.profiles), world.profiles
        else:
            made, count = stage.workload.postings(0, world.postings), world.postings
        before = measures.resident()
        with counting(stage, f"{peer.name}: {name}s taken in", count) as advance:
            seconds[name] = round(measures.load(peer, made, advance), 2)
        grown[kind] = (measures.resident() - before) / count
    return seconds


def questions(stage: Stage, peer: Peer, kind: AnchorKind, anchors: Sequence[str]) -> Asked:
    """With progress."""
    with counting(stage, f"{peer.name}: lists of {KINDS[kind]}s", len(anchors)) as advance:
        return measures.ask(peer, kind, anchors, advance)


def changed(stage: Stage, world: World, kind: AnchorKind, count: int, version: int) -> list[Posting | Profile]:
    """New versions of what an anchor of this kind finds, from `version` up."""
    if kind is AnchorKind.POSTING:
        return list(stage.workload.changed_profiles(world.profiles, count, version * VERSIONS))
    return list(stage.workload.changed_postings(world.postings, count, version * VERSIONS))


def row(peer: Peer, world: World, kind: AnchorKind, found: Asked, update_us: float, right: Right) -> Row:
    """What was measured, put together."""
    other = AnchorKind.SEEKER if kind is AnchorKind.POSTING else AnchorKind.POSTING
    return Row(
        peer=peer.name,
        kind=KINDS[kind],
        n=world.searched(kind),
        p50_ms=found.percentile(50),
        p99_ms=found.percentile(99),
        recall=measures.recall(found.answers, right.answers),
        update_us=update_us,
        bytes=round(peer.size(other), 1),
        questions=len(found.milliseconds),
        entries=found.entries,
        recall_against=right.judge,
        recall_of=len(right.answers),
        how=peer.how,
        note=peer.note,
    )


def busy(stage: Stage, matcher: Matcher, world: World, kind: AnchorKind) -> dict[str, str | float]:
    """Questions while updates come in, a tenth of them postings, a batch every tick."""
    each = round(RATE * measures.TICK_S)
    ticks = round(stage.given.seconds / measures.TICK_S)
    version = 30 if kind is AnchorKind.POSTING else 40
    profiles = iter(changed(stage, world, AnchorKind.POSTING, ticks * (each - each // 10), version))
    postings = iter(changed(stage, world, AnchorKind.SEEKER, ticks * (each // 10), version))
    batches = [[*islice(profiles, each - each // 10), *islice(postings, each // 10)] for _ in range(ticks)]
    anchors = world.anchors(kind, stage.given.questions)
    found, rate, share = measures.ask_while_updating(matcher, kind, anchors, iter(batches))
    return {
        "kind": KINDS[kind],
        "p50_ms": found.percentile(50),
        "p99_ms": found.percentile(99),
        "questions": len(found.milliseconds),
        "updates_per_s": rate,
        "share_of_time_updating": share,
    }


def breadths(stage: Stage, matcher: Matcher, world: World) -> list[dict[str, str | float]]:
    """Questions of postings whose gates let so many people through."""
    counted = [seeker_id(number) for number in range(min(COUNTED, world.profiles))]
    found: list[dict[str, str | float]] = []
    for meant, made in stage.workload.breadths(world.postings, BREADTH_QUESTIONS).items():
        matcher.take_in(made)
        anchors = [one.id for one in made]
        asked = questions(stage, matcher, AnchorKind.POSTING, anchors)
        found.append(
            {
                "meant_percent": meant,
                "passing_percent": measures.share_passing(matcher.index, anchors[0], counted),
                "p50_ms": asked.percentile(50),
                "p99_ms": asked.percentile(99),
                "questions": len(anchors),
                "entries": asked.entries,
            }
        )
    return found


@contextmanager
def counting(stage: Stage, label: str, total: int) -> Iterator[Advance]:
    """Progress of one thing."""
    with Bars(stage.console, {label: total}) as bars:
        yield lambda more: bars.add(label, more)


def measured(given: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Everything, in order."""
    policy = load_policy()
    ties = ties_of(MatcherSettings())
    stage = Stage(given, console, policy, ties, Workload(ties, given.seed))
    rehearse(stage)
    world = World(given.postings, given.profiles)
    small = World(min(given.compared, given.postings), min(given.compared, given.profiles))
    grown: dict[AnchorKind, float] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        rows, details = full(stage, world, Path(root), grown)
        with running_servers(Path(root) / "servers") as servers:
            rows += beside(stage, small, servers.addresses.mongo, rows, grown)
    settings = vars(given) | {
        "policy": policy.version,
        "taxonomy": ties.version,
        "commit": commit(),
        "servers": servers.kind,
    }
    return {"about": __doc__, "rows": [asdict(one) for one in rows], "matcher": details, "settings": settings}


def main() -> int:
    """Run, print, write; 1 if the matcher's lists are not the right ones."""
    options = argparse.ArgumentParser(prog="make bench-matcher", description=__doc__)
    options.add_argument("--profiles", type=int, default=1_000_000)
    options.add_argument("--postings", type=int, default=100_000)
    options.add_argument("--compared", type=int, default=100_000, help="profiles, and postings, beside the peers")
    options.add_argument("--questions", type=int, default=1_000, help="of each kind to the matcher")
    options.add_argument("--peer-questions", type=int, default=200, help="of each kind to each peer")
    options.add_argument("--judged", type=int, default=40, help="anchors of each kind whose lists the oracle makes")
    options.add_argument("--seconds", type=float, default=10.0, help="how long updates come in, for each kind")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    console, about = Console(), machine()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    console.print(about)
    result = measured(given, console) | {"machine": about}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    tables.show(console, result)
    console.print(f"written to {OUT.relative_to(PROJECT)}")
    return 0 if all(one["recall"] == 1 for one in result["rows"] if one["peer"] == Matcher.name) else 1


if __name__ == "__main__":
    sys.exit(main())
