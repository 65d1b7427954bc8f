"""The operator's kit: `make operator ARGS="partner list"`, or `python -m deploy.operator partner list`.

partner onboard ID --name NAME    register, make topics and rights, and show the password once; --sandbox: to try
partner exchange ID --region gbt2260:500000 [--region ...] [--exchange-name NAME] | --off
                                  it gets our postings of these regions, or none any more
partner pull ID --url URL [--every-s N] [--since TIME] [--parameter NAME] [--zone ZONE] [--overlap-s N] | --off
                                  its feed is fetched for it, at once and again and again, or no more
partner replay ID --from TIME     its receipts are published once more, from a time on
partner list | show ID            who there is, and what each may do
partner pause ID | resume ID      take the right to publish away, and give it back
partner rotate ID [--finish]      a second account beside the first; --finish removes the first
partner retire ID --yes           for ever: rights and passwords go, the id never comes back

duplicates list [--state doubt]   postings of two sources that may be one vacancy (doubt), or agrees, accepted, refused
duplicates merge ID ID            they are one: seekers see the first that was there, until one says something else
duplicates part ID ID             they are two, for good: what was merged is recommended again

dead-letters list [TOPIC]         how many there are and why; or the letters of one topic
dead-letters show LETTER          why, from where, headers; --body also what it says
dead-letters mend LETTER FILE     write its body to a file, to be edited
dead-letters replay WHAT... [--body FILE] [--yes]
                                  send letters again to where they came from, each once; a dry run without --yes

A LETTER is topic/partition/offset; WHAT is some of these, or one topic of dead letters for all of its.
--json prints one JSON object; --lang zh or en (by default as LANG says). Exit status: 0 done, 1 Kafka or postings is
away (try again), 2 the command is written wrongly, 3 there is no such thing, 4 it may not be done as things stand.

Environment: KAFKA_BOOTSTRAP, the internal listener; for all of partner but rotate, and for duplicates, also
POSTINGS_URL, and OPERATOR_TOKEN or else the development keys in KEYS_DIR. Duplicates need no Kafka.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from deploy.operator import dead_letters, duplicates, partners
from deploy.operator.answers import REFUSED, Answer, Json, Language, Refusal, away
from deploy.operator.kafka import Rights
from deploy.operator.postings import register_from_environment
from shared.errors import Unavailable
from shared.settings import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from deploy.operator.postings import Register

_FEED: Final = ("url", "every_s", "since", "parameter", "zone", "overlap_s")
"""Of a feed, what may be given."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and say what came of it; the exit status."""
    given = _parser().parse_args(arguments)
    # the client library's own words about a broker that is away: we say it once
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    settings = ServiceSettings()
    try:
        answer = _answer(given, settings)
    except Refusal as refusal:
        answer = refusal.answer
    except (KafkaError, KafkaException, Unavailable, OSError) as error:
        answer = away("Kafka", error).answer
    if given.json:
        sys.stdout.write(json.dumps(answer.data, ensure_ascii=False) + "\n")
    else:
        out = sys.stderr if "error" in answer.data else sys.stdout
        out.write((answer.zh if given.lang == "zh" else answer.en) + "\n")
    return answer.status


def _answer(given: argparse.Namespace, settings: ServiceSettings) -> Answer:
    if given.subject == "duplicates":
        register = register_from_environment()
        if given.command == "list":
            return duplicates.listed(register, given.state, given.limit)
        return duplicates.decide(register, given.first, given.second, given.command)
    rights = Rights(settings.kafka_bootstrap)
    return _partner(given, rights) if given.subject == "partner" else _letters(given, settings, rights)


def _partner(given: argparse.Namespace, rights: Rights) -> Answer:
    if given.command == "rotate":  # Kafka's matter alone
        return (partners.finish if given.finish else partners.rotate)(rights, given.partner)
    return _PARTNER[given.command](rights, register_from_environment(), given)


def _feed(given: argparse.Namespace) -> Json | None:
    return None if given.off else {term: value for term in _FEED if (value := getattr(given, term)) is not None}


_PARTNER: Final[Mapping[str, Callable[[Rights, Register, argparse.Namespace], Answer]]] = {
    "list": lambda rights, register, _: partners.overview(rights, register),
    "show": lambda rights, register, given: partners.show(rights, register, given.partner),
    "onboard": lambda rights, register, given: partners.onboard(
        rights, register, given.partner, given.name, sandbox=given.sandbox
    ),
    "exchange": lambda _, register, given: partners.exchange(
        register, given.partner, given.region or (), given.exchange_name
    ),
    "pull": lambda _, register, given: partners.pull(register, given.partner, _feed(given)),
    "replay": lambda _, register, given: partners.replay(register, given.partner, given.since),
    "pause": lambda rights, register, given: partners.pause(rights, register, given.partner),
    "resume": lambda rights, register, given: partners.resume(rights, register, given.partner),
    "retire": lambda rights, register, given: partners.retire(rights, register, given.partner, really=given.yes),
}


def _letters(given: argparse.Namespace, settings: ServiceSettings, rights: Rights) -> Answer:
    topics = rights.partitions()
    match given.command:
        case "list" if given.topic is None:
            return asyncio.run(dead_letters.overview(settings, topics))
        case "list":
            return asyncio.run(dead_letters.listed(settings, topics, given.topic, given.reason, given.limit))
        case "show":
            return asyncio.run(dead_letters.show(settings, topics, given.letter, body=given.body))
        case "mend":
            return asyncio.run(dead_letters.mend(settings, topics, given.letter, given.file))
        case _:
            return asyncio.run(
                dead_letters.replay(
                    settings, topics, given.what, reason=given.reason, body=_body(given.body), really=given.yes
                )
            )


def _body(file: Path | None) -> bytes | None:
    try:
        return None if file is None else file.read_bytes()
    except OSError as error:
        raise Refusal(
            REFUSED, "no_file", f"无法读取 {file}：{error.strerror}", f"{file} cannot be read: {error.strerror}"
        ) from error


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="one JSON object")
    common.add_argument("--lang", choices=get_args(Language), default=_language(os.environ))
    parser = argparse.ArgumentParser(
        prog="python -m deploy.operator", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    subjects = parser.add_subparsers(dest="subject", required=True)

    _add_partner(subjects.add_parser("partner", help="who may send us postings"), common)
    _add_duplicates(subjects.add_parser("duplicates", help="the same vacancy from two sources"), common)
    _add_letters(subjects.add_parser("dead-letters", help="records that could not be handled"), common)
    return parser


def _add_partner(subject: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    partner = subject.add_subparsers(dest="command", required=True)
    for name in ("list", "onboard", "exchange", "pull", "replay", "show", "pause", "resume", "rotate", "retire"):
        command = partner.add_parser(name, parents=[common])
        if name != "list":
            command.add_argument("partner", metavar="ID")
        if name == "onboard":
            command.add_argument("--name", required=True, help="the region or school as people know it")
            command.add_argument("--sandbox", action="store_true", help="to try: no seeker sees anything of it")
        if name == "exchange":
            what = command.add_mutually_exclusive_group(required=True)
            what.add_argument("--region", action="append", type=_region, help="scheme:code; may be given several times")
            what.add_argument("--off", action="store_true", help="it gets nothing any more")
            command.add_argument("--exchange-name", help="what all call it that exchange, if that is not its ID here")
        if name == "pull":
            what = command.add_mutually_exclusive_group(required=True)
            what.add_argument("--url", help="a stream of changes, as JobTech's; https")
            what.add_argument("--off", action="store_true", help="it is fetched no more")
            command.add_argument("--every-s", type=int, help="seconds between two fetches (300)")
            command.add_argument("--since", help="RFC 3339: what changed before is not fetched (180 days ago)")
            command.add_argument("--parameter", help="the query's parameter that takes the time (date)")
            command.add_argument("--zone", help="the feed's time zone (UTC), for example Europe/Stockholm")
            command.add_argument("--overlap-s", type=int, help="how late the feed may show a record (3600)")
        if name == "replay":
            command.add_argument("--from", dest="since", required=True, help="RFC 3339, like 2026-11-28T00:00:00Z")
        if name == "rotate":
            command.add_argument("--finish", action="store_true", help="only the newest account is left")
        if name == "retire":
            command.add_argument("--yes", action="store_true", help="do it: it cannot be undone")


def _add_duplicates(subject: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    pairs = subject.add_subparsers(dest="command", required=True)
    command = pairs.add_parser("list", parents=[common])
    command.add_argument("--state", choices=("doubt", "agrees", "accepted", "refused"), default="doubt")
    command.add_argument("--limit", type=int, default=100)
    for name in ("merge", "part"):
        command = pairs.add_parser(name, parents=[common])
        command.add_argument("first", metavar="ID")
        command.add_argument("second", metavar="ID")


def _add_letters(subject: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    letters = subject.add_subparsers(dest="command", required=True)
    command = letters.add_parser("list", parents=[common])
    command.add_argument("topic", nargs="?", help="the letters of this topic, for example postings.partners.dead")
    command.add_argument("--reason", help="only letters with this code")
    command.add_argument("--limit", type=int, default=100)
    command = letters.add_parser("show", parents=[common])
    command.add_argument("letter")
    command.add_argument("--body", action="store_true", help="also what it says: it may hold personal data")
    command = letters.add_parser("mend", parents=[common])
    command.add_argument("letter")
    command.add_argument("file", type=Path)
    command = letters.add_parser("replay", parents=[common])
    command.add_argument("what", nargs="+", help="letters, or one topic of dead letters")
    command.add_argument("--reason", help="of a topic: only letters with this code")
    command.add_argument("--body", type=Path, help="send this file in the place of the one letter's body")
    command.add_argument("--yes", action="store_true", help="do it, instead of saying what would be done")


def _region(given: str) -> str:
    """`scheme:code`, checked by postings."""
    if not all(given.partition(":")):
        message = f"{given} is not scheme:code, as in gbt2260:500000"
        raise argparse.ArgumentTypeError(message)
    return given


def _language(environment: Mapping[str, str]) -> Language:
    """As the terminal is set up."""
    named = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "zh" if named.lower().startswith("zh") else "en"


if __name__ == "__main__":
    sys.exit(main())
