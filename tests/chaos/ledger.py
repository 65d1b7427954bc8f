"""What was acknowledged, and so must hold in the end. Shares no code with the services.

A partner's record is acknowledged by Kafka with its offset, a command of a seeker by an HTTP answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Terms = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """One record of a partner."""

    id: str
    """The partner's posting id."""
    sequence: int
    terms: Terms | None
    """None: the posting is removed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receipt must say."""

    outcome: str
    version: int | None


@dataclass(slots=True)
class Vacancy:
    """What our posting must be."""

    version: int
    open: bool
    terms: Terms


@dataclass
class PartnerLedger:
    """What one partner has sent: by offset, which is the order of arrival."""

    sent: dict[int, Sent] = field(default_factory=dict)

    def acknowledged(self, offset: int, record: Sent) -> None:
        assert offset not in self.sent, "Kafka gave one offset twice"
        self.sent[offset] = record

    def expected(self) -> tuple[dict[int, Answer], dict[str, Vacancy]]:
        """The answer to each offset, and the vacancies in the end by the partner's id.

        The newest sequence wins, of equal ones the later; each difference is one version.
        """
        answers: dict[int, Answer] = {}
        vacancies: dict[str, Vacancy] = {}
        newest: dict[str, int] = {}
        for offset, record in sorted(self.sent.items()):
            vacancy = vacancies.get(record.id)
            outcome = "stale"
            if record.sequence >= newest.get(record.id, -1):
                newest[record.id] = record.sequence
                after = _after(vacancy, record)
                outcome = "unchanged" if after == vacancy else "accepted"
                if after is not None:
                    vacancies[record.id] = vacancy = after
            answers[offset] = Answer(outcome, vacancy.version if vacancy else None)
        return answers, vacancies


def _after(vacancy: Vacancy | None, record: Sent) -> Vacancy | None:
    if vacancy is None:
        return None if record.terms is None else Vacancy(1, open=True, terms=record.terms)
    wanted = (False, vacancy.terms) if record.terms is None else (True, record.terms)
    if wanted == (vacancy.open, vacancy.terms):
        return vacancy
    return Vacancy(vacancy.version + 1, *wanted)


@dataclass(slots=True)
class Standing:
    """What a seeker's profile must be."""

    version: int
    status: str
    terms: Terms
    erased: bool = False


@dataclass
class SeekerLedger:
    """Every seeker's last acknowledged state, by id."""

    standing: dict[str, Standing] = field(default_factory=dict)
    commands: int = 0
    """How many were acknowledged; each line of an import is one."""

    def registered(self, seeker: str, terms: Terms) -> None:
        assert seeker not in self.standing, "one id was given to two seekers"
        self.standing[seeker] = Standing(1, "active", terms)
        self.commands += 1

    def now(self, seeker: str, version: int, status: str, terms: Terms) -> None:
        before = self.standing[seeker]
        changed = (status, terms) != (before.status, before.terms)
        assert version == before.version + changed, "an effect was lost, or happened twice"
        self.standing[seeker] = Standing(version, status, terms)
        self.commands += 1

    def erased(self, seeker: str) -> None:
        self.standing[seeker].erased = True
        self.commands += 1

    def live(self) -> dict[str, Standing]:
        return {seeker: standing for seeker, standing in self.standing.items() if not standing.erased}
