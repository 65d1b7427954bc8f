"""Runs another matching policy over the topics, beside the one that holds, and reports what would change.

python -m services.matcher.replay other.toml --sample 20000    (`make replay POLICY=other.toml SAMPLE=20000`)

KAFKA_BOOTSTRAP in the environment says where. Reads only; writes Markdown and charts under out/replay.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from aiokafka.errors import KafkaError

from services.matcher.domain import Index
from services.matcher.domain.policy import Policy, parse
from services.matcher.handlers.changes import changes_of
from services.matcher.handlers.policies import read_policies
from services.matcher.replay.comparing import Traits, answers, compare, explained, sample, telling, traits_of
from services.matcher.replay.report import REPORT, Replay, files
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.policies import changes
from services.matcher.usecases.taxonomy import ties_of
from services.matcher.usecases.world import TOPIC_OF, Change, World
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind
from shared.reading import whole
from shared.topics import partitions

OUT = Path("out/replay")


async def read_world(settings: MatcherSettings, policy: Policy) -> tuple[World, dict[str, Traits]]:
    """Everything on both topics under this policy, and what shares are counted by. Raises KafkaError, OSError."""
    index = Index(policy, ties_of(settings))
    world = World(index, {kind: partitions(settings, topic) for kind, topic in TOPIC_OF.items()})
    traits: dict[str, Traits] = {}

    def changed(change: Change) -> None:
        if isinstance(change.body, Posting | Profile):
            traits[change.key] = traits_of(change.body)
        else:
            traits.pop(change.key, None)

    async for records in whole(settings, "replay", *TOPIC_OF.values()):
        await world.apply((change for record in records for change in changes_of(record)), {}, changed)
    return world, traits


def replay(world: World, traits: dict[str, Traits], texts: tuple[str, str], most: int | None) -> Replay:
    """The answers of two policies (TOML) for all anchors, or for so many of each kind.

    The world is under the first, and left under the second. Raises ValueError for what is no policy.
    """
    index, now, present, other = world.index, world.latest, world.index.policy, parse(texts[1])
    anchors = {kind: sample(index.anchors(kind), most) for kind in AnchorKind}
    before = answers(index, anchors, now)
    index.adopt(other)
    after = answers(index, anchors, now)
    return Replay(
        before=present.version,
        after=other.version,
        at=now,
        anchors={kind: len(list(index.anchors(kind))) for kind in AnchorKind},
        changes=changes(*texts),
        comparisons=[compare(kind, before[kind], after[kind], traits) for kind in AnchorKind],
        pairs=explained(index, telling(before, after), (present, other), now),
    )


async def run(text: str, most: int | None) -> Replay:
    """The policy that holds on the topics against this one (TOML). Raises ValueError, KafkaError and OSError."""
    parse(text)  # before anything is read
    settings = MatcherSettings()
    history = await read_policies(settings)
    world, traits = await read_world(settings, history.policy)
    return replay(world, traits, (history.current.text, text), most)


def main() -> int:
    """The command; 1 if there is nothing to report."""
    parser = argparse.ArgumentParser(
        prog="python -m services.matcher.replay",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("policy", type=Path, help="the other policy, as TOML")
    parser.add_argument("--sample", type=int, help="compare so many lists of each kind, the same ones every time")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder of the report (default: {OUT})")
    given = parser.parse_args()
    try:
        found = asyncio.run(run(given.policy.read_text("utf-8"), given.sample))
        given.out.mkdir(parents=True, exist_ok=True)
        for name, content in files(found).items():
            (given.out / name).write_text(content, "utf-8")
    except (ValueError, OSError, KafkaError) as error:
        sys.stderr.write(f"Not done: {error}\n")
        return 1
    changed = sum(one.changed for one in found.comparisons)
    compared = sum(one.lists for one in found.comparisons)
    sys.stdout.write(f"{changed:,} of {compared:,} lists would change: {given.out / REPORT}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
