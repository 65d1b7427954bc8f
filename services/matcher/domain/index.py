"""Everything that is open and everyone who is looking, in memory, and the questions about them.

One thread changes an index, and not while another asks it; several may ask at once (the kernels hold no GIL).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain import questions
from services.matcher.domain.codes import Codes, Occupations, Plain, Regions, Skills
from services.matcher.domain.columns import (
    NO_END,
    POSTING,
    SEEKER,
    UNKNOWN,
    Postings,
    Seekers,
    Tables,
    currency,
)
from services.matcher.domain.kernels import COMPONENTS, GATES
from services.matcher.domain.policy import Policy
from services.matcher.domain.side import Gone, Resting, Side, side
from shared.contracts.common import Benefit, Code, EmploymentType, KeyGroup
from shared.contracts.postings import Posting, PostingStatus
from shared.contracts.profiles import Profile, ProfileStatus
from shared.contracts.recommendations import LIST_SIZE, AnchorKind, Components

T = TypeVar("T")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
FACTS: Final = (*GATES, "occupation")
BENEFIT_BITS: Final = {item: 1 << place for place, item in enumerate(Benefit)}
EMPLOYMENT_BITS: Final = {item: 1 << place for place, item in enumerate(EmploymentType)}
KEY_GROUP_BITS: Final = {item: 1 << place for place, item in enumerate(KeyGroup)}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the index knows of one posting or seeker as an anchor."""

    version: int
    active: bool
    """False: closed, paused, withdrawn or without consent. `valid_through` is not looked at."""
    sharers: tuple[str, ...]
    """A posting's employer id, or the ids of a seeker's matchmakers."""
    reason: str = ""
    """If not active: the close reason, or the profile's status."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One counterpart on a list."""

    id: str
    version: int
    points: int
    parts: tuple[int, ...]
    """Components, in the order of `COMPONENTS`."""
    unknown: tuple[str, ...]
    row: int = field(compare=False)
    """Where it lies; means nothing after the next change of the index."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """All about one pair."""

    posting_version: int
    seeker_version: int
    recommendable: bool
    """All gates passed, enough points, and something in common."""
    failed: tuple[str, ...]
    """Gates that failed, in the order of GATES. What is closed or inactive is judged by that alone."""
    unknown: tuple[str, ...]
    relevant: bool
    """Some occupation closeness or a matched skill."""
    points: int
    """The sum of the components, recommendable or not."""
    components: Components
    matched: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class Index:
    """Postings and seekers as rows, under one matching policy."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._weights = policy.numbers
        self.skills = Skills(policy)
        self.regions = Regions()
        self.occupations = Occupations(policy.occupation)
        self.licences = Plain()
        self.postings = side(POSTING, ("regions", "licences", "skills"))
        self.seekers = side(SEEKER, ("regions", "licences", "skills", "occupations"))

    # ------------------------------------------------------------------------------------ changes
    def upsert_posting(self, posting: Posting) -> bool:
        """Takes in a posting as of its version. False, and nothing done, if that is not newer."""
        if posting.version <= self.postings.version(posting.id):
            return False
        if posting.status is not PostingStatus.OPEN:
            reason = posting.close_reason.value if posting.close_reason else posting.status.value
            resting = Resting(posting.version, ("open",), reason, (posting.employer_id,))
            self.postings.rest(posting.id, resting)
            return True
        required = _numbers(self.skills, posting.required_skills)
        preferred = [skill for skill in _numbers(self.skills, posting.preferred_skills) if skill not in required]
        regions = _numbers(self.regions, posting.regions)
        licences = _numbers(self.licences, posting.licences)
        weights = self.skills.table
        pay = posting.pay
        facts = (
            NO_END if posting.valid_through is None else micros(posting.valid_through),
            posting.version,
            UNKNOWN if posting.occupation is None else self.occupations.number(posting.occupation.key),
            UNKNOWN if pay is None or pay.min is None else pay.min,
            UNKNOWN if pay is None or pay.max is None else pay.max,
            sum(int(weights[skill, 0]) for skill in required),
            sum(int(weights[skill, 0]) for skill in preferred),
            UNKNOWN if pay is None else currency(pay.currency),
            UNKNOWN if posting.experience_months is None else posting.experience_months,
            _bits(BENEFIT_BITS, posting.benefits),
            1,
            posting.remote,
            0 if posting.education is None else posting.education.level,
            0 if posting.employment_type is None else EMPLOYMENT_BITS[posting.employment_type],
            _bits(KEY_GROUP_BITS, posting.key_groups),
            len(regions),
            len(licences),
            len(required),
            len(required) + len(preferred),
        )
        lists = {"regions": regions, "licences": licences, "skills": required + preferred}
        self.postings.put(posting.id, facts, lists, (posting.employer_id,))
        return True

    def upsert_profile(self, profile: Profile) -> bool:
        """Takes in a profile as of its version. False, and nothing done, if that is not newer."""
        if profile.version <= self.seekers.version(profile.id):
            return False
        active = profile.status is ProfileStatus.ACTIVE
        if not (active and profile.consent.matching):
            gates = (*(() if active else ("active",)), *(() if profile.consent.matching else ("consent",)))
            resting = Resting(profile.version, gates, profile.status.value, profile.matchmakers)
            self.seekers.rest(profile.id, resting)
            return True
        lists = {
            "regions": _numbers(self.regions, profile.regions),
            "licences": _numbers(self.licences, profile.licences or ()),
            "skills": _numbers(self.skills, profile.skills),
            "occupations": _numbers(self.occupations, profile.occupations),
        }
        floor = profile.pay_floor
        facts = (
            profile.version,
            UNKNOWN if profile.lives_in is None else self.regions.number(profile.lives_in.key),
            UNKNOWN if floor is None else floor.amount,
            UNKNOWN if floor is None else currency(floor.currency),
            UNKNOWN if profile.experience_months is None else profile.experience_months,
            _bits(BENEFIT_BITS, profile.benefits_needed),
            UNKNOWN if profile.licences is None else len(lists["licences"]),
            UNKNOWN if profile.remote is None else int(profile.remote),
            1,
            0 if profile.education is None else profile.education.level,
            _bits(EMPLOYMENT_BITS, profile.employment_types),
            _bits(KEY_GROUP_BITS, profile.key_groups),
            len(lists["occupations"]),
            len(lists["regions"]),
            len(lists["skills"]),
        )
        self.seekers.put(profile.id, facts, lists, profile.matchmakers)
        return True

    def remove_posting(self, posting_id: str, version: int, at: datetime) -> bool:
        """Takes in a tombstone of that version, written `at`. False if it is not newer than what is known."""
        return _remove(self.postings, posting_id, version, at)

    def remove_profile(self, seeker_id: str, version: int, at: datetime) -> bool:
        """Takes in a tombstone of that version, written `at`. False if it is not newer than what is known."""
        return _remove(self.seekers, seeker_id, version, at)

    def forget_tombstones(self, before: datetime) -> int:
        """Forgets the tombstones that were written before that moment; gives how many."""
        count = 0
        for own in (self.postings, self.seekers):
            old = [name for name, gone in own.gone.items() if gone.at < before]
            for name in old:
                del own.gone[name]
            count += len(old)
        return count

    # ------------------------------------------------------------------------------------ questions
    def standing(self, kind: AnchorKind, anchor_id: str) -> Standing | None:
        """What is known of an anchor; None if it is unknown or erased."""
        own = self._side(kind)
        row = own.row_of.get(anchor_id)
        if row is not None:
            return Standing(own.version(anchor_id), active=True, sharers=own.sharers[row])
        resting = own.resting.get(anchor_id)
        if resting is None:
            return None
        return Standing(resting.version, active=False, sharers=resting.sharers, reason=resting.reason)

    def tombstone(self, kind: AnchorKind, anchor_id: str) -> int | None:
        """The version of a remembered tombstone."""
        gone = self._side(kind).gone.get(anchor_id)
        return None if gone is None else gone.version

    def anchors(self, kind: AnchorKind) -> Iterable[str]:
        """Ids of all that is open, or of all who are active."""
        return self._side(kind).row_of.keys()

    def top(self, kind: AnchorKind, anchor_id: str, now: datetime, k: int = LIST_SIZE) -> list[Scored]:
        """The best `k` counterparts of an anchor, best first, ties by id.

        Empty for an anchor that is closed, inactive or unknown.
        """
        anchor = self._side(kind).row_of.get(anchor_id)
        if anchor is None:
            return []
        moment = micros(now)
        others = self._others(kind)
        everyone = np.arange(others.used)
        all_points, _, _ = self._weigh(kind, anchor, everyone, moment, thorough=False)
        rows = questions.best(all_points, everyone, others.ids, k)
        points, facts, parts = self._weigh(kind, anchor, rows, moment, thorough=True)
        versions = others.rows["version"][rows].tolist()
        return [
            Scored(others.names[row], version, total, tuple(own_parts), _names(unknown), row)
            for row, version, total, (_, unknown, _), own_parts in zip(
                rows.tolist(), versions, points.tolist(), facts.tolist(), parts.tolist(), strict=True
            )
        ]

    def judge(self, posting_id: str, seeker_id: str, now: datetime) -> Judgement | None:
        """All about one pair; None if one of them is unknown or erased."""
        posting = self.standing(AnchorKind.POSTING, posting_id)
        seeker = self.standing(AnchorKind.SEEKER, seeker_id)
        if posting is None or seeker is None:
            return None
        if not (posting.active and seeker.active):
            resting = [self.postings.resting.get(posting_id), self.seekers.resting.get(seeker_id)]
            failed = tuple(gate for one in resting if one for gate in one.gates)
            return Judgement(
                posting.version,
                seeker.version,
                recommendable=False,
                failed=failed,
                unknown=(),
                relevant=False,
                points=0,
                components=Components(),
            )
        row = self.postings.row_of[posting_id]
        other = self.seekers.row_of[seeker_id]
        others = np.array([other], np.int64)
        points, facts, parts = self._weigh(AnchorKind.POSTING, row, others, micros(now), thorough=True)
        failing, unknown, common = facts[0].tolist()
        ((matched, missing),) = self.skills_between([row], [other])
        return Judgement(
            posting.version,
            seeker.version,
            recommendable=bool(points[0] != questions.REFUSED),
            failed=_names(failing),
            unknown=_names(unknown),
            relevant=bool(common),
            points=int(parts[0].sum()),
            components=Components(**dict(zip(COMPONENTS, parts[0].tolist(), strict=True))),
            matched=matched,
            missing=missing,
        )

    def holds(self, kind: AnchorKind, anchor_id: str, counterparts: Sequence[str], now: datetime) -> NDArray[np.bool_]:
        """Which counterparts may (still) be recommended to this anchor, in whatever version they are."""
        answer = np.zeros(len(counterparts), np.bool_)
        anchor = self._side(kind).row_of.get(anchor_id)
        if anchor is None or not counterparts:
            return answer
        rows = self._others(kind).rows_of(counterparts)
        there = rows >= 0
        points, _, _ = self._weigh(kind, anchor, rows[there], micros(now), thorough=False)
        answer[there] = points != questions.REFUSED
        return answer

    def skills_between(
        self, posting_rows: Sequence[int], seeker_rows: Sequence[int]
    ) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """For each pair: the posting's skills that the seeker has, and required ones that are not named.

        A single row on one side is paired with each on the other.
        """
        wanted, required = _lists(self.postings, posting_rows, "required")
        had, _ = _lists(self.seekers, seeker_rows, "skills")
        if len(posting_rows) == 1:
            wanted, required = wanted * len(had), required * len(had)
        elif len(seeker_rows) == 1:
            had *= len(wanted)
        keys = self.skills.keys
        pairs = []
        for skills, count, own in zip(wanted, required, map(set, had), strict=True):
            matched = tuple([keys[skill] for skill in skills if skill in own])
            missing = tuple([keys[skill] for skill in skills[:count] if skill not in own])
            pairs.append((matched, missing))
        return pairs

    def _side(self, kind: AnchorKind) -> Side:
        return self.postings if kind is AnchorKind.POSTING else self.seekers

    def _others(self, kind: AnchorKind) -> Side:
        return self.seekers if kind is AnchorKind.POSTING else self.postings

    def _weigh(
        self, kind: AnchorKind, anchor: int, others: NDArray[np.int64], now: int, *, thorough: bool
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
        return questions.weigh(
            kind is AnchorKind.POSTING,
            anchor,
            others,
            now,
            thorough,
            Postings(self.postings.rows, self.postings.ids, **self.postings.lists),
            Seekers(self.seekers.rows, self.seekers.ids, **self.seekers.lists),
            Tables(self.regions.table, self.occupations.table, self.skills.table, self.licences.table),
            self._weights,
        )


def warm(policy: Policy) -> None:
    """Compiles the kernels, or reads them from numba's cache, by asking an empty world."""
    nobody = np.empty(0, np.int64)
    index = Index(policy)
    points, _, _ = index._weigh(AnchorKind.POSTING, 0, nobody, 0, thorough=False)  # noqa: SLF001 - of this module
    questions.best(points, nobody, index.seekers.ids, LIST_SIZE)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - EPOCH) // MICROSECOND


def _numbers(codes: Codes, wanted: Iterable[Code]) -> list[int]:
    """Their numbers in their order, none twice."""
    return list(dict.fromkeys([codes.number(f"{code.scheme}:{code.code}") for code in wanted]))


def _bits(places: Mapping[T, int], items: Iterable[T]) -> int:
    bits = 0
    for item in items:
        bits |= places[item]
    return bits


def _names(bits: int) -> tuple[str, ...]:
    if not bits:
        return ()
    return tuple(name for place, name in enumerate(FACTS) if bits >> place & 1)


def _lists(own: Side, rows: Sequence[int], count: str) -> tuple[list[list[int]], list[int]]:
    """The skills of some rows, and one of their counts."""
    facts = own.rows[rows]
    lists = own.lists["skills"][rows].tolist()
    lengths = facts["skills"].tolist()
    return [codes[:length] for codes, length in zip(lists, lengths, strict=True)], facts[count].tolist()


def _remove(own: Side, name: str, version: int, at: datetime) -> bool:
    if version <= own.version(name):
        return False
    own.remove(name, Gone(version, at))
    return True
