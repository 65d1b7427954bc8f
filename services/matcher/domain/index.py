"""Everything that is open and everyone who is looking, in memory, and the questions about them.

One thread changes an index, and not while another asks it; several may ask at once (the kernels hold no GIL).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from operator import is_
from typing import Final

import numpy as np
from msgspec import to_builtins
from numpy.typing import NDArray

from services.matcher.domain import questions, reasons
from services.matcher.domain.answers import Judgement, Scored, Standing
from services.matcher.domain.bodies import PostingBody, ProfileBody
from services.matcher.domain.codes import Plain, Regions, Skills, related
from services.matcher.domain.columns import FIRST_REGION, POSTING, SEEKER, UNKNOWN, Columns, Tables, Ways
from services.matcher.domain.derived import derive_postings, derive_seekers, named_by_postings, named_by_seekers
from services.matcher.domain.evidence import evidence
from services.matcher.domain.facts import Facts, Row, micros
from services.matcher.domain.gates import GATES
from services.matcher.domain.occupations import Occupations
from services.matcher.domain.pairs import collected, span_of
from services.matcher.domain.policy import Policy, Weights
from services.matcher.domain.search import scratch, search
from services.matcher.domain.side import Gone, Resting, Side
from services.matcher.domain.ties import NO_TIES, Ties
from services.matcher.domain.view import View, view_of
from shared.contracts.lists import ComponentsBody, EvidenceBody
from shared.contracts.postings import Posting, PostingStatus
from shared.contracts.profiles import Profile, ProfileStatus
from shared.contracts.recommendations import LIST_SIZE, AnchorKind, Components, Evidence

HAD, LACKED = 1, 2
"""Marks of `questions.skills_had`."""
FACTS: Final = (*GATES, "occupation", "distance")


class Index:
    """Postings and seekers as rows, under one matching policy and one taxonomy."""

    def __init__(self, policy: Policy, ties: Ties = NO_TIES) -> None:
        self.skills = Skills(policy, ties)
        self.regions = Regions(ties)
        self.occupations = Occupations(policy.occupation, ties)
        self.licences = Plain()
        self._read = Facts(self.skills, self.regions, self.occupations, self.licences)
        self.postings = Side(POSTING)
        self.seekers = Side(SEEKER)
        self._scratch = scratch(0)
        self._viewed: View | None = None
        self._parts: tuple[object, ...] = ()
        """What the view was made of, and of how many regions."""
        self._places = 0
        self._set(policy, ties)

    def adopt(self, policy: Policy, ties: Ties | None = None) -> None:
        """Goes on under another policy, and taxonomy if it is given: tables and weights change, what is known stays."""
        ties = self.ties if ties is None else ties
        self.flush()
        self.skills.adopt(policy, ties)
        self.occupations.adopt(policy.occupation, ties)
        if ties is not self.ties:
            self.regions.adopt(ties)
        self._set(policy, ties)
        postings, seekers = (np.arange(side.used, dtype=np.int32) for side in (self.postings, self.seekers))
        derive_postings(self.postings.columns, postings, self.skills.table)
        derive_seekers(self.seekers.columns, seekers, self.occupations.table)

    @property
    def made_by(self) -> tuple[str, str | None]:
        """The versions of policy and taxonomy, as lists name them."""
        return self.policy.version, self.ties.version

    def _set(self, policy: Policy, ties: Ties) -> None:
        self.policy, self.ties = policy, ties
        steps = policy.place.ways
        self._spans = np.array([span_of(step.km) for step in steps], np.float64)
        self._way_points = -np.diff([*(step.points for step in steps), 0]).astype(np.int32)
        self._weights = policy.numbers
        counting, counted, _ = related(self.skills, policy.related_skills)
        _, _, near = related(self.occupations, policy.related_occupations)
        self._related = (counting, counted, near)

    # ------------------------------------------------------------------------------------ changes
    def upsert_posting(self, posting: Posting | PostingBody) -> bool:
        """Takes in a posting as of its version. False, and nothing done, if that is not newer."""
        if posting.version <= self.postings.version(posting.id):
            return False
        merged = posting.status is PostingStatus.OPEN and posting.merged_into is not None
        if merged or posting.status is not PostingStatus.OPEN:
            reason = "merged" if merged else (posting.close_reason or posting.status).value
            resting = Resting(posting.version, ("open",), reason, (posting.employer_id,))
            self.postings.rest(posting.id, resting)
            return True
        self.postings.put(posting.id, posting.version, self._read.posting(posting), (posting.employer_id,))
        return True

    def upsert_profile(self, profile: Profile | ProfileBody) -> bool:
        """Takes in a profile as of its version. False, and nothing done, if that is not newer."""
        if profile.version <= self.seekers.version(profile.id):
            return False
        active = profile.status is ProfileStatus.ACTIVE
        if not (active and profile.consent.matching):
            gates = (*(() if active else ("active",)), *(() if profile.consent.matching else ("consent",)))
            resting = Resting(profile.version, gates, profile.status.value, profile.matchmakers)
            self.seekers.rest(profile.id, resting)
            return True
        self.seekers.put(profile.id, profile.version, self._read.profile(profile), profile.matchmakers)
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
    def own_copy(self, kind: AnchorKind, anchor_id: str) -> str:
        """The index's own object of an equal id, if it has one: a million lists need no copies."""
        own = self._side(kind)
        row = own.row_of.get(anchor_id)
        return anchor_id if row is None else own.names[row]

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
        self.flush()
        moment = micros(now)
        others = self._others(kind)
        if len(self._scratch.rows) < others.used:
            self._scratch = scratch(others.used + others.used // 4)
        rows, found = search(self._view(), kind is AnchorKind.POSTING, anchor, moment, k, others.used)
        return [
            Scored(others.names[row], others.versions[row], total, tuple(own_parts), _names(unknown), row)
            for row, total, (_, unknown, _), own_parts in zip(
                rows.tolist(), *(array.tolist() for array in found), strict=True
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
        points, facts, parts = self._weigh(AnchorKind.POSTING, row, others, micros(now))
        failing, unknown, common = facts[0].tolist()
        ((matched, missing, related_skills),) = self.skills_between(AnchorKind.POSTING, row, [other])
        components = ComponentsBody(*parts[0].tolist())
        (found,) = self.evidence_of(AnchorKind.POSTING, row, [other], [(related_skills, components)])
        return Judgement(
            posting.version,
            seeker.version,
            recommendable=bool(points[0] != questions.REFUSED),
            failed=_names(failing),
            unknown=_names(unknown),
            relevant=bool(common),
            points=int(parts[0].sum()),
            components=Components.model_validate(to_builtins(components)),
            matched=matched,
            missing=missing,
            evidence=Evidence.model_validate(to_builtins(found)),
        )

    def holds(self, kind: AnchorKind, anchor_id: str, counterparts: Sequence[str], now: datetime) -> NDArray[np.bool_]:
        """Which counterparts may (still) be recommended to this anchor, in whatever version they are."""
        answer = np.zeros(len(counterparts), np.bool_)
        anchor = self._side(kind).row_of.get(anchor_id)
        if anchor is None or not counterparts:
            return answer
        rows = self._others(kind).rows_of(counterparts)
        there = rows >= 0
        points, _, _ = self._weigh(kind, anchor, rows[there], micros(now))
        answer[there] = points != questions.REFUSED
        return answer

    def skills_between(
        self, kind: AnchorKind, anchor: int, others: Sequence[int]
    ) -> list[tuple[tuple[str, ...], tuple[str, ...], Sequence[tuple[str, str]]]]:
        """For each pair of rows: the posting's skills that the seeker has, and required ones that are not named.

        Third, those that are not named for which another one counts in part, with that one.
        """
        self.flush()
        skills, had, through = questions.skills_had(
            self._view(), kind is AnchorKind.POSTING, anchor, np.array(others, np.int64)
        )
        keys = self.skills.keys
        return [
            (
                tuple([keys[skill] for skill, how in zip(of_one, marks, strict=True) if how == HAD]),
                tuple([keys[skill] for skill, how in zip(of_one, marks, strict=True) if how == LACKED]),
                [(keys[skill], keys[near]) for skill, near in zip(of_one, others, strict=True) if near != UNKNOWN],
            )
            for of_one, marks, others in zip(skills.tolist(), had.tolist(), through.tolist(), strict=True)
        ]

    def evidence_of(
        self,
        kind: AnchorKind,
        anchor: int,
        others: Sequence[int],
        known: Sequence[tuple[Sequence[tuple[str, str]], ComponentsBody]],
    ) -> list[EvidenceBody]:
        """For each pair of rows what else is to be said of it.

        `known`: of each, the skills that count in part, and its components.
        """
        self.flush()
        facts, spans = collected(self._view(), kind is AnchorKind.POSTING, anchor, np.array(others, np.int64))
        return [
            evidence(own, span, *more) for own, span, more in zip(facts.tolist(), spans.tolist(), known, strict=True)
        ]

    def _side(self, kind: AnchorKind) -> Side:
        return self.postings if kind is AnchorKind.POSTING else self.seekers

    def _others(self, kind: AnchorKind) -> Side:
        return self.seekers if kind is AnchorKind.POSTING else self.postings

    def _weigh(self, kind: AnchorKind, anchor: int, others: NDArray[np.int64], now: int) -> questions.Weighed:
        self.flush()
        return questions.weigh(self._view(), kind is AnchorKind.POSTING, anchor, others, now)

    def _view(self) -> View:
        """All that a question reads, after `flush`: made anew where an array has become another one."""
        tables = self.regions, self.occupations, self.skills, self.licences
        parts = (
            self.postings.columns,
            self.seekers.columns,
            *[codes.table for codes in tables],
            self.regions.centres,
            self.occupations.closeness,
            self._related,
            self._weights,
            self._scratch,
        )
        if self._viewed is None or self._places != len(self.regions) or not all(map(is_, parts, self._parts)):
            self._places, self._parts = len(self.regions), parts
            columns = self.postings.columns, self.seekers.columns
            self._viewed = view_of(*columns, self._tables(), self._weights, self._scratch)
        return self._viewed

    def arrays(self) -> tuple[Columns, Columns, Tables, Weights]:
        """What kernels read, with all that was taken in: postings, seekers, tables, weights."""
        self.flush()
        return self.postings.columns, self.seekers.columns, self._tables(), self._weights

    def _tables(self) -> Tables:
        return Tables(
            self.regions.table[: max(len(self.regions), 1)],  # those that are used: every question goes through all
            Ways(self.regions.centres, self._spans, self._way_points),
            self.occupations.table,
            self.occupations.closeness,
            self.skills.table,
            self.licences.table,
            *self._related,
        )

    def related_keys(self, name: str) -> set[str]:
        """The concepts of the policy's tables of a vocabulary: its numbers stay, whoever names them."""
        tables = {"skills": self.policy.related_skills, "occupations": self.policy.related_occupations}
        return {key for concept, others in tables.get(name, {}).items() for key in (concept, *others)}

    def vocabulary_in_use(self) -> dict[str, NDArray[np.bool_]]:
        """By vocabulary and number: whether a live posting or seeker names it."""
        self.flush()
        codes = {"occupations": self.occupations, "skills": self.skills, "licences": self.licences}
        used = {name: np.zeros(len(one.table), np.bool_) for name, one in codes.items()}
        named_by_postings(self.postings.columns, self.postings.used, *used.values())
        named_by_seekers(self.seekers.columns, self.seekers.used, *used.values())
        return used

    def flush(self) -> None:
        """Write what was taken in since the last question; questions do it by themselves."""
        lists = FIRST_REGION + len(self.regions.table)
        changed = self.postings.flush(lists)
        if changed.size:
            derive_postings(self.postings.columns, changed, self.skills.table)
        changed = self.seekers.flush(lists)
        if changed.size:
            derive_seekers(self.seekers.columns, changed, self.occupations.table)


def warm(policy: Policy) -> None:
    """Compiles the kernels, or reads them from numba's cache, by asking a world of two."""
    index = Index(policy)
    moment = datetime(2000, 1, 1, tzinfo=UTC)
    for side, name in ((index.postings, "p"), (index.seekers, "s")):
        side.put(name, 1, Row(bytes(side.dtype.itemsize), [], remote=False, codes=[]), ())
    for kind, name in ((AnchorKind.POSTING, "p"), (AnchorKind.SEEKER, "s")):
        index.top(kind, name, moment)
        reasons.outlook(index, kind, name, moment)
    index.holds(AnchorKind.POSTING, "p", ["s"], moment)
    index.judge("p", "s", moment)
    index.adopt(policy)
    index.vocabulary_in_use()
    for side in (index.postings, index.seekers):
        side.renew(0)


@cache
def _names(bits: int) -> tuple[str, ...]:
    if not bits:
        return ()
    return tuple(name for place, name in enumerate(FACTS) if bits >> place & 1)


def _remove(own: Side, name: str, version: int, at: datetime) -> bool:
    if version <= own.version(name):
        return False
    own.remove(name, Gone(version, at))
    return True
