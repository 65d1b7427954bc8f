"""Dead letters: list, show, mend, replay."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from deploy.operator.answers import REFUSED, UNKNOWN, Answer, Json, Refusal
from deploy.operator.letters import DEAD, Address, Letter, address, letter_of, read_range
from deploy.operator.replaying import Step, Verdict, plan, send
from shared.broker import Producer, reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from aiokafka import AIOKafkaConsumer

    from shared.consuming import Record
    from shared.settings import ServiceSettings

    Partitions = Mapping[str, Sequence[int]]
    """Every topic of the cluster, with the numbers of its partitions."""

_SHOWN: Final = ("ce_", "content-type", "traceparent", "__connect.errors.")
"""Headers whose values are shown; of others, which a partner may fill as it likes, only the names."""
_VERDICTS: Final[dict[Verdict, tuple[str, str]]] = {
    "send": ("重发", "send again"),
    "sent before": ("已重发过，跳过", "was sent again before: left out"),
    "superseded": ("主题上已有同一键的更新记录，跳过", "a newer record of the same key is there: left out"),
    "no body": ("原记录过大未保存，需用 --body 提供", "the record was too large to be kept: give it with --body"),
    "no way back": ("来源主题不明，不能重发", "where it came from is not known: cannot be sent again"),
}
_HINDERED: Final[frozenset[Verdict]] = frozenset({"no body", "no way back"})


@asynccontextmanager
async def _consumer(settings: ServiceSettings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = reader(settings, "operator", prompt=True)
    try:
        await consumer.start()
        # aiokafka's stop raises when what its start began has not had a turn yet
        await asyncio.sleep(0)
        yield consumer
    finally:
        await consumer.stop()


async def overview(settings: ServiceSettings, topics: Partitions) -> Answer:
    """Every topic of dead letters: how many lie there, and why."""
    found: list[Json] = []
    async with _consumer(settings) as consumer:
        for topic in (name for name in topics if name.endswith(DEAD)):
            letters = [letter_of(record) async for record in _records(consumer, topics, topic)]
            reasons = Counter(letter.code for letter in letters)
            origins = Counter(letter.origin.topic if letter.origin else "?" for letter in letters)
            found.append(
                {
                    "topic": topic,
                    "letters": len(letters),
                    "reasons": dict(reasons.most_common()),
                    "from": dict(origins.most_common()),
                    "oldest": min((letter.given_up for letter in letters), default=None),
                }
            )
    lines = []
    for row in found:
        lines.append(f"{row['topic']:<32} {row['letters']:>7}  {row['oldest'] or ''}")
        lines += [f"    {count:>7}  {code}" for code, count in row["reasons"].items()]
        lines += [f"    {count:>7}  ← {topic}" for topic, count in row["from"].items()]
    return Answer(
        "\n".join(lines) or "没有死信主题", "\n".join(lines) or "There are no dead letters", {"topics": found}
    )


async def listed(settings: ServiceSettings, topics: Partitions, topic: str, reason: str | None, limit: int) -> Answer:
    """The letters of one topic, the oldest first."""
    _there(topics, topic)
    letters: list[Letter] = []
    more = 0
    async with _consumer(settings) as consumer:
        async for record in _records(consumer, topics, topic):
            letter = letter_of(record)
            if reason in {None, letter.code}:
                if len(letters) < limit:
                    letters.append(letter)
                else:
                    more += 1
    lines = [f"{letter.at}  {letter.given_up}  ← {letter.origin or '?'}  {letter.reason}" for letter in letters]
    zh, en = [*lines], [*lines]
    if more:
        zh.append(f"另有 {more} 条，用 --limit 显示更多")
        en.append(f"and {more} more: --limit shows them")
    return Answer(
        "\n".join(zh) or "没有死信",
        "\n".join(en) or "There are no such letters",
        {"letters": [_row(letter) for letter in letters], "more": more},
    )


async def show(settings: ServiceSettings, topics: Partitions, text: str, *, body: bool) -> Answer:
    """One letter: why, from where, headers; its body, which may hold what a person wrote, only if asked for."""
    record = await _one(settings, topics, address(text))
    letter = letter_of(record)
    found = _row(letter)
    found["headers"] = [
        [name, (value or b"").decode(errors="replace") if name.startswith(_SHOWN) else None]
        for name, value in record.headers
    ]
    lines = [f"{letter.at}  {letter.given_up}", f"  {letter.reason}", f"  ← {letter.origin or '?'}"]
    lines += [f"  {name}: {'…' if value is None else value}" for name, value in found["headers"]]
    if body:
        found["body"] = None if record.value is None else _text(record.value)
        tail = ["", found["body"] or ""]
        return Answer("\n".join([*lines, *tail]), "\n".join([*lines, *tail]), found)
    size = "—" if letter.size is None else f"{letter.size:,}"
    return Answer(
        "\n".join([*lines, f"  正文 {size} 字节，用 --body 显示（可能含个人信息）"]),
        "\n".join([*lines, f"  body of {size} bytes: --body shows it (it may hold personal data)"]),
        found,
    )


async def mend(settings: ServiceSettings, topics: Partitions, text: str, file: Path) -> Answer:
    """The letter's body as a file to be edited, which only its owner can read."""
    record = await _one(settings, topics, address(text))
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(record.value or b"")
    except FileExistsError as error:
        raise Refusal(
            REFUSED,
            "file_exists",
            f"{file} 已存在，请换一个文件名",
            f"{file} is there already: name another file",
        ) from error
    then = f"dead-letters replay {text} --body {file}"
    return Answer(
        f"正文已写入 {file}，改好后执行：{then}（先试运行，加 --yes 才发送）；用完请删除该文件",
        f"The body is in {file}. When it is mended: {then} (a dry run; --yes sends it). Then remove the file",
        {"letter": text, "file": str(file), "bytes": len(record.value or b"")},
    )


async def replay(
    settings: ServiceSettings,
    topics: Partitions,
    what: Sequence[str],
    *,
    reason: str | None,
    body: bytes | None,
    really: bool,
) -> Answer:
    """Send letters again to where they came from: these, or all of a topic (with this reason). Safe to repeat."""
    async with _consumer(settings) as consumer:
        letters = await _chosen(consumer, topics, what, reason)
        if body is not None and len(letters) != 1:
            raise Refusal(REFUSED, "one_body", "--body 一次只能用于一条死信", "--body goes with one letter at a time")
        # a target that is gone cannot be written to, nor read
        steps = await plan(consumer, [one for one in letters if _reachable(one, topics)], mended=body is not None)
        steps += [Step(one, "no way back") for one in letters if not _reachable(one, topics)]
        sent: list[Letter] = []
        if really:
            producer = Producer(settings, "operator")
            try:
                sent = await send(consumer, producer, steps, body)
            finally:
                await producer.close()
    return _told(steps, sent, really=really)


def _reachable(letter: Letter, topics: Partitions) -> bool:
    return letter.origin is not None and letter.origin.partition in topics.get(letter.origin.topic, ())


def _told(steps: Sequence[Step], sent: Sequence[Letter], *, really: bool) -> Answer:
    counts = Counter(step.verdict for step in steps)
    hindered = any(step.verdict in _HINDERED for step in steps)
    rows = [
        {"letter": str(step.letter.at), "to": _target(step.letter), "verdict": step.verdict, "code": step.letter.code}
        for step in steps
    ]
    lines = [
        [f"{step.letter.at} → {_target(step.letter)}：{_VERDICTS[step.verdict][0]}" for step in steps],
        [f"{step.letter.at} → {_target(step.letter)}: {_VERDICTS[step.verdict][1]}" for step in steps],
    ]
    if really:
        zh, en = f"已重发 {len(sent)} 条", f"{len(sent)} sent again"
    else:
        zh = f"试运行：将重发 {counts['send']} 条，什么都没有写入；确认请加 --yes"
        en = f"Dry run: {counts['send']} would be sent again, nothing was written; --yes does it"
    return Answer(
        "\n".join([*lines[0], zh]),
        "\n".join([*lines[1], en]),
        {"dry_run": not really, "sent": len(sent), "steps": rows},
        REFUSED if hindered else 0,
    )


def _target(letter: Letter) -> str:
    return f"{letter.origin.topic}/{letter.origin.partition}" if letter.origin else "?"


async def _chosen(
    consumer: AIOKafkaConsumer, topics: Partitions, what: Sequence[str], reason: str | None
) -> list[Letter]:
    if len(what) == 1 and "/" not in what[0]:
        _there(topics, what[0])
        found = [letter_of(record) async for record in _records(consumer, topics, what[0])]
        return [letter for letter in found if reason in {None, letter.code}]
    return [letter_of(await _read_one(consumer, topics, one)) for one in dict.fromkeys(map(address, what))]


async def _one(settings: ServiceSettings, topics: Partitions, at: Address) -> Record:
    async with _consumer(settings) as consumer:
        return await _read_one(consumer, topics, at)


async def _read_one(consumer: AIOKafkaConsumer, topics: Partitions, at: Address) -> Record:
    _there(topics, at.topic)
    if at.partition in topics[at.topic]:
        async for record in read_range(consumer, {at.where: at.offset}, {at.where: at.offset + 1}):
            return record
    raise Refusal(
        UNKNOWN,
        "unknown_letter",
        f"没有死信 {at}（死信保存 6 天）",
        f"There is no dead letter {at} (they are kept for 6 days)",
    )


async def _records(consumer: AIOKafkaConsumer, topics: Partitions, topic: str) -> AsyncIterator[Record]:
    wheres = {Address(topic, number, 0).where: 0 for number in topics[topic]}
    async for record in read_range(consumer, wheres, {}):
        yield record


def _there(topics: Partitions, topic: str) -> None:
    if topic not in topics or not topic.endswith(DEAD):
        known = ", ".join(name for name in topics if name.endswith(DEAD))
        raise Refusal(
            UNKNOWN,
            "unknown_topic",
            f"没有死信主题 {topic[:200]}；现有：{known}",
            f"There is no topic {topic[:200]} of dead letters; there are {known}",
        )


def _row(letter: Letter) -> Json:
    return {
        "letter": str(letter.at),
        "from": str(letter.origin) if letter.origin else None,
        "given_up": letter.given_up,
        "code": letter.code,
        "reason": letter.reason,
        "key": None if letter.key is None else letter.key.decode(errors="replace"),
        "bytes": letter.size,
    }


def _text(body: bytes) -> str:
    """JSON with its lines broken; anything else as it is."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")
