"""Records of the two state topics as the index takes them in: by the million, so with no work that can be spared.

What is not plain to see is decoded as everywhere else. What nobody can read changes nothing here; the work
group gives it to the dead letters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from services.matcher.domain.bodies import PostingBody, ProfileBody
from services.matcher.usecases.world import TOPIC_OF, Change
from shared.consuming import Record, decode_all, is_filler, record_of, time_of
from shared.contracts.envelope import TRACEPARENT, dataschema
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind
from shared.contracts.registry import channel

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

Body = PostingBody | ProfileBody | Posting | Profile
KINDS: Final = {topic: kind for kind, topic in TOPIC_OF.items()}
_DECODE: Final[dict[AnchorKind, Callable[[bytes], PostingBody | ProfileBody]]] = {
    AnchorKind.POSTING: msgspec.json.Decoder(PostingBody).decode,
    AnchorKind.SEEKER: msgspec.json.Decoder(ProfileBody).decode,
}
_PLAIN: Final = {
    (event_type.encode(), dataschema(topic, event_type).encode())
    for topic in TOPIC_OF.values()
    for event_type in channel(topic).models
}
"""Types with their schemas: other records take the long way."""


def changes(records: Iterable[ConsumerRecord[Any, Any]]) -> Iterator[Change]:
    """What these records say of postings and profiles."""
    for record in records:
        headers = dict(record.headers)
        plain = (headers.get("ce_type"), headers.get("ce_dataschema")) in _PLAIN
        if not plain or record.value is None or record.key is None:
            yield from changes_of(record_of(record))
            continue
        kind = KINDS[record.topic]
        try:
            body, key = _DECODE[kind](record.value), record.key.decode()
            traceparent = headers.get(TRACEPARENT)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if body.id == key:
            at = time_of(record.timestamp)
            trace = None if traceparent is None else traceparent.decode(errors="replace")
            yield Change(kind, key, record.partition, at, body.version, body, trace)


def changes_of(record: Record) -> Iterator[Change]:
    """What one record says, by the contracts themselves."""
    if is_filler(record):
        return
    for event in decode_all([record]).events:
        body = event.model if isinstance(event.model, Posting | Profile) else None
        if body is None or body.id == event.key:
            kind, at = KINDS[record.topic], record.timestamp
            yield Change(kind, event.key, record.partition, at, event.version, body, event.traceparent)
