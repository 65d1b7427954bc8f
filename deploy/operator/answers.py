"""What a command says: to people in zh and en, to programs as one JSON object, and by its exit status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

Language = Literal["zh", "en"]
Json = dict[str, Any]

DONE: Final = 0
AWAY: Final = 1
"""Kafka or a service did not answer, or not as it should: try again."""
UNKNOWN: Final = 3
"""There is no such partner, topic or letter."""
REFUSED: Final = 4
"""It may not be done as things stand."""
# 2 is argparse's: the command was written wrongly.


@dataclass(frozen=True)
class Answer:
    """What was found or done."""

    zh: str
    en: str
    data: Json = field(default_factory=dict)
    status: int = DONE


class Refusal(Exception):  # noqa: N818 - what it is
    """Why a command was not done, and what to do instead; nothing was changed, unless it says so."""

    def __init__(self, status: int, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.answer = Answer(zh, en, {"error": code, "message": {"zh": zh, "en": en}}, status)


def away(what: str, error: object) -> Refusal:
    """`what` (a name) did not answer."""
    return Refusal(
        AWAY,
        "away",
        f"{what} 没有应答，请检查后重试（命令可以放心重复）：{error}",
        f"{what} did not answer; look at it and try again (a command may be repeated safely): {error}",
    )
