"""Sets, shows and rolls back the matching policy that holds; for operators with access to Kafka.

python -m services.matcher.policies set my.toml    from now on (`make policy FILE=my.toml`)
python -m services.matcher.policies rollback       back to the one before; again: further back
python -m services.matcher.policies show [VERSION] which one holds, and which held; or the text of one

KAFKA_BOOTSTRAP in the environment says where.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from aiokafka.errors import KafkaError

from services.matcher.handlers.policies import read_policies
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.policies import History, changes, record
from shared.broker import Producer
from shared.contracts.policies import MatchingPolicySet
from shared.errors import Unavailable

PATIENCE_S = 15.0
Setting = Callable[[History], list[MatchingPolicySet]]


async def put(settings: MatcherSettings, setting: Setting) -> list[str]:
    """Write what `setting` makes of the history, and see that it holds; gives what to tell.

    Raises ValueError with what to do instead, Unavailable, KafkaError and OSError.
    """
    before = await read_policies(settings)
    made = setting(before)
    if not made:
        return [f"{before.current.policy} holds already"]
    producer = Producer(settings, "policies")
    try:
        await producer.send_all([record(one) for one in made])
    finally:
        await producer.close()
    after = await read_policies(settings)
    if after.current.policy != made[-1].policy:
        raise ValueError(f"{after.current.policy} was set at the same moment and holds: look at it, and set again")
    told = changes(before.current.text, after.current.text)
    return [
        f"{after.current.policy} holds from now on, instead of {before.current.policy}:",
        *(f"  {line}" for line in told),
        "Matchers adopt it at once, and refresh their lists in the background (metric refresh_queue).",
    ]


async def shown(settings: MatcherSettings, version: str | None) -> list[str]:
    """Every policy that was set, the newest last; or the text of one. Raises ValueError, KafkaError and OSError."""
    history = await read_policies(settings)
    known = history.versions()
    if version is not None:
        if version not in known:
            raise ValueError(f"there is no version {version}; there are {', '.join(known)}")
        return [known[version].text.rstrip()]
    return [
        f"{one.revision:>4}  {one.policy:<40}  {one.set_at:%Y-%m-%d %H:%M:%S} by {one.set_by}"
        + ("  holds" if one.policy == history.current.policy else "")
        for one in sorted(known.values(), key=lambda one: one.revision)
    ]


async def run(given: argparse.Namespace) -> list[str]:
    """The lines of the command's answer."""
    settings, now = MatcherSettings(), datetime.now(UTC)
    async with asyncio.timeout(PATIENCE_S):
        if given.command == "set":
            text = given.file.read_text("utf-8")
            return await put(settings, lambda history: history.setting(text, now, given.by))
        if given.command == "rollback":
            return await put(settings, lambda history: history.rollback(now, given.by))
        return await shown(settings, given.version)


def main() -> int:
    """The command; 1 if it was refused or Kafka is away."""
    parser = argparse.ArgumentParser(
        prog="python -m services.matcher.policies",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    setting = commands.add_parser("set", help="a policy holds from now on")
    setting.add_argument("file", type=Path, help="the policy, as TOML")
    back = commands.add_parser("rollback", help="the policy before holds again")
    for command in (setting, back):
        command.add_argument("--by", default="operator", help="your account, no person's name")
    show = commands.add_parser("show", help="which one holds, and which held")
    show.add_argument("version", nargs="?", help="only the text of this one")
    try:
        lines = asyncio.run(run(parser.parse_args()))
    except TimeoutError:
        sys.stderr.write("No answer: is KAFKA_BOOTSTRAP right, and did a service make the topics once?\n")
        return 1
    except (ValueError, OSError, KafkaError, Unavailable) as error:
        sys.stderr.write(f"Not done: {error}\n")
        return 1
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
