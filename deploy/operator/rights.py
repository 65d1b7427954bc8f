"""Which rights a partner has in Kafka, and what its state is as they stand. Pure.

A partner's accounts are the SCRAM users `<id>~1`, `<id>~2` …: one at a time, two while its password is changed. Kafka
itself remembers everything: an account is its credential, a pause is the missing right to write, and a retirement a
denial to everyone, which no later right overrides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from shared.contracts.registry import PARTNER_EXCHANGE, PARTNER_POSTINGS, PARTNER_RECEIPTS, partner_of

if TYPE_CHECKING:
    from collections.abc import Iterable

State = Literal["active", "paused", "retired"]

_ACCOUNT: Final = re.compile(r"([a-z0-9][a-z0-9-]*)~([1-9][0-9]*)")


@dataclass(frozen=True, order=True)
class Right:
    """One ACL: what a user may, or may not, do with a topic or group. Words are Kafka's own, in small letters."""

    user: str
    """`*` is everyone."""
    kind: str
    name: str
    operation: str
    prefixed: bool = False
    """The name stands for all that begin with it."""
    denied: bool = False
    host: str = "*"

    def __str__(self) -> str:
        return f"{self.operation} {self.kind} {self.name}{'*' if self.prefixed else ''}"


def account(partner: str, number: int) -> str:
    """The SCRAM user of this number. `~` is in no partner's id, so no id is another's account."""
    return f"{partner}~{number}"


def owner(user: str) -> tuple[str, int] | None:
    """Whose account that is, and its number; None if it is no partner's."""
    found = _ACCOUNT.fullmatch(user)
    return None if found is None else (found[1], int(found[2]))


def reading(partner: str, number: int) -> list[Right]:
    """Its receipts, its exchange topic, and groups of its own to read them with."""
    user = account(partner, number)
    return [
        Right(user, "topic", PARTNER_RECEIPTS.format(partner=partner), "read"),
        Right(user, "topic", PARTNER_EXCHANGE.format(partner=partner), "read"),
        Right(user, "group", f"partner.{partner}.", "read", prefixed=True),
    ]


def writing(partner: str, number: int) -> Right:
    """To write its postings (and so to see that the topic is there)."""
    return Right(account(partner, number), "topic", PARTNER_POSTINGS.format(partner=partner), "write")


def retirement(partner: str) -> Right:
    """The memory that this id was given up: nobody may use its topic again. Super users, the services, still may."""
    return Right("*", "topic", PARTNER_POSTINGS.format(partner=partner), "all", denied=True)


@dataclass(frozen=True)
class Standing:
    """How a partner stands in Kafka."""

    partner: str
    accounts: tuple[int, ...]
    """Numbers of those that have a password, the newest last."""
    rights: tuple[Right, ...]
    """Every right of any of its accounts, with a password or not."""
    retired: bool

    @property
    def state(self) -> State:
        """Active as long as any account may write."""
        if self.retired:
            return "retired"
        return "active" if self.to_write() else "paused"

    def of(self, number: int) -> list[Right]:
        """The rights of one account."""
        return [one for one in self.rights if one.user == account(self.partner, number)]

    def to_write(self) -> list[Right]:
        """The rights of any account by which it may write."""
        return [one for one in self.rights if one.operation in {"write", "all"}]


def standings(users: Iterable[str], rights: Iterable[Right]) -> dict[str, Standing]:
    """Every partner that Kafka knows, by id, from the SCRAM users and ACLs that there are."""
    accounts: dict[str, list[int]] = {}
    for user in users:
        if found := owner(user):
            accounts.setdefault(found[0], []).append(found[1])
    given: dict[str, list[Right]] = {}
    retired: set[str] = set()
    for right in rights:
        if found := owner(right.user):
            given.setdefault(found[0], []).append(right)
        elif right.denied and right == retirement(partner_of(right.name)):
            retired.add(partner_of(right.name))
    return {
        partner: Standing(
            partner, tuple(sorted(accounts.get(partner, ()))), tuple(sorted(given.get(partner, ()))), partner in retired
        )
        for partner in sorted({*accounts, *given, *retired})
    }
