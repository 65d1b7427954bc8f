"""Which matching policy holds: what was set, what may be set, and what a rollback goes back to."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from textwrap import shorten
from typing import Final

from services.matcher.domain.policy import CURRENT, parse
from shared.broker import Outgoing
from shared.contracts.envelope import event_headers
from shared.contracts.policies import MOST_STEPS, MatchingPolicySet
from shared.contracts.registry import POLICIES

WIDEST: Final = 60
"""Characters of one value."""
MOST_SHOWN: Final = 12
"""Changes of one table that are listed one by one."""


class History:
    """Every matching policy that was set, by version, and the one that holds.

    Before the first one is set the packaged policy holds, as if it had been set with revision 1.
    """

    def __init__(self, at: datetime) -> None:
        """`at` is when the packaged policy counts as set."""
        text = CURRENT.read_text("utf-8")
        self.policy = parse(text)
        """The one that holds."""
        self.current = MatchingPolicySet(policy=self.policy.version, revision=1, text=text, set_at=at)
        self._packaged = self.current
        self._set: dict[str, MatchingPolicySet] = {}

    def versions(self) -> Mapping[str, MatchingPolicySet]:
        """All that are known, by version."""
        return {self._packaged.policy: self._packaged} | self._set

    def take(self, found: MatchingPolicySet) -> bool:
        """Takes in what lies on the topic, in the order of offsets. True if it holds from now on.

        Raises ValueError, and takes nothing in, for what is no policy or no honest version of one.
        """
        policy = parse(found.text)
        if policy.version != found.policy:
            raise ValueError(f"the record is of version {found.policy}, its text of {policy.version}")
        known = self._set.get(found.policy)
        if known is not None and known.text != found.text:
            raise ValueError(f"version {found.policy} stands for another text already")
        if known is None or found.revision > known.revision:
            self._set[found.policy] = found
        if found.revision <= self.current.revision:
            return False
        self.current, self.policy = found, policy
        return True

    def setting(self, text: str, at: datetime, by: str) -> list[MatchingPolicySet]:
        """What is to be written, in this order, so that this policy holds; nothing if it does already.

        Raises ValueError, readable, for a text that is no policy, or whose version stands for another one.
        """
        version = parse(text).version
        known = self.versions().get(version)
        if known is not None and known.text != text:
            raise ValueError(f"version {version} stands for another text already; give this one a version of its own")
        if version == self.current.policy:
            return []
        before = (*self.current.before, self.current.policy)[-MOST_STEPS:]
        return [*self._unwritten(), self._next(version, text, at, by, before)]

    def rollback(self, at: datetime, by: str) -> list[MatchingPolicySet]:
        """What is to be written so that the policy before this one holds again. Raises ValueError if none was."""
        if not self.current.before:
            raise ValueError("no other matching policy held before this one")
        *before, version = self.current.before
        known = self.versions().get(version)
        if known is None:
            raise ValueError(f"the text of version {version} is not on the topic; set it from its file")
        return [self._next(version, known.text, at, by, tuple(before))]

    def _unwritten(self) -> list[MatchingPolicySet]:
        """The packaged policy before the first one is set: the topic must tell what its lists were made with."""
        return [] if self._set else [self._packaged]

    def _next(self, version: str, text: str, at: datetime, by: str, before: tuple[str, ...]) -> MatchingPolicySet:
        revision = self.current.revision + 1
        return MatchingPolicySet(policy=version, revision=revision, text=text, set_at=at, set_by=by, before=before)


def record(setting: MatchingPolicySet) -> Outgoing:
    """A setting as it lies on the topic."""
    headers = event_headers(
        source="urn:operator",
        event_type=MatchingPolicySet.__name__,
        subject=setting.policy,
        topic_family=POLICIES,
        version=setting.revision,
        time=setting.set_at,
    )
    return Outgoing(POLICIES, setting.policy.encode(), setting.model_dump_json().encode(), headers)


def changes(before: str, after: str) -> list[str]:
    """What differs between two policies, both TOML: a line for each number, and for large tables a summary.

    Raises ValueError for what is no TOML.
    """
    old, new = _tables(tomllib.loads(before)), _tables(tomllib.loads(after))
    lines = []
    for table in sorted(old.keys() | new.keys()):
        was, now = old.get(table, {}), new.get(table, {})
        names = [name for name in sorted(was.keys() | now.keys()) if was.get(name) != now.get(name)]
        shown = names if len(names) <= MOST_SHOWN else names[: MOST_SHOWN // 2]
        lines += [
            f"{table + '.' if table else ''}{name}: {_value(was.get(name))} -> {_value(now.get(name))}"
            for name in shown
        ]
        if len(shown) < len(names):
            lines.append(f"{table}: {len(names) - len(shown)} more")
    return lines


def _tables(document: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """The values of each table, by the tables' dotted names."""
    found: dict[str, dict[str, object]] = {}

    def walk(table: Mapping[str, object], path: str) -> Iterator[tuple[str, object]]:
        for name, value in table.items():
            if isinstance(value, dict):
                below = f"{path}.{name}" if path else name
                found[below] = dict(walk(value, below))
            else:
                yield name, value

    found[""] = dict(walk(document, ""))
    return found


def _value(value: object) -> str:
    return "absent" if value is None else shorten(str(value), WIDEST, placeholder=" ...")
