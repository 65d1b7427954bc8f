"""The second peer: the same question as one aggregation of MongoDB, gates in `$match` and the score computed.

A document holds what matching needs in the form that suits MongoDB: levels as numbers, regions with all that lie
around them. The expressions of the score take the anchor's facts as literals and the counterpart's as field paths,
so that one set of them serves both questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Any, Final, Self

from pymongo import MongoClient, ReplaceOne

from services.matcher.domain import Policy
from services.matcher.domain.pairs import span_of
from services.matcher.domain.ties import Ties
from shared.contracts.common import Code
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import LIST_SIZE, AnchorKind
from shared.regions import ancestors, canonical
from tests.bench.workload import NOW

Document = dict[str, Any]
Expression = Any
"""Of an aggregation: a literal, a field path, or an operator with its arguments."""
DATABASE: Final = "bench_matcher"
COLLECTIONS: Final = {AnchorKind.POSTING: "postings", AnchorKind.SEEKER: "seekers"}
BATCH: Final = 1_000


class MongoPeer:
    """Two collections, indexed by region. Empty at first."""

    name = "mongodb"
    how = "a server on this machine, asked over a socket; bytes on disk, indexes included"

    def __init__(self, url: str, policy: Policy, ties: Ties) -> None:
        self._client: MongoClient[Document] = MongoClient(url)
        self._client.drop_database(DATABASE)
        self._policy, self._ties = policy, ties
        database = self._client[DATABASE]
        self._of = {kind: database[name] for kind, name in COLLECTIONS.items()}
        for collection in self._of.values():
            collection.create_index("regions")
            collection.create_index("above")
        related = policy.related_skills or policy.related_occupations
        self.note = "related skills and occupations earn nothing" if related else ""

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing behind."""
        self._client.drop_database(DATABASE)
        self._client.close()

    def take_in(self, changed: Iterable[Posting | Profile]) -> None:
        """One bulk write a thousand of a kind; acknowledged, so the next question sees it."""
        rest = iter(changed)
        while batch := list(islice(rest, BATCH)):
            for kind, model in ((AnchorKind.POSTING, Posting), (AnchorKind.SEEKER, Profile)):
                documents = [self._document(one) for one in batch if isinstance(one, model)]
                if documents:
                    writes = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in documents]
                    self._of[kind].bulk_write(writes, ordered=False)

    def size(self, kind: AnchorKind) -> float:
        """After a checkpoint."""
        self._client.admin.command("fsync")
        found = self._client[DATABASE].command("collStats", COLLECTIONS[kind])
        total: float = (found["storageSize"] + found["totalIndexSize"]) / max(found["count"], 1)
        return total

    def top(self, kind: AnchorKind, anchor_id: str) -> list[str]:
        """Two round trips: the anchor, and the answer."""
        other = AnchorKind.SEEKER if kind is AnchorKind.POSTING else AnchorKind.POSTING
        own = self._of[kind].find_one({"_id": anchor_id})
        if own is None or (kind is AnchorKind.POSTING and own["until"] is not None and own["until"] <= NOW.timestamp()):
            return []
        return [found["_id"] for found in self._of[other].aggregate(list(pipeline(kind, own, self._policy)))]

    def _document(self, one: Posting | Profile) -> Document:
        shared = {
            "_id": one.id,
            "education": None if one.education is None else one.education.level,
            "experience": one.experience_months,
            "remote": one.remote,
            "key_groups": list(one.key_groups),
            "licences": None if one.licences is None else [licence.key for licence in one.licences],
            "regions": [canonical(region.key) for region in one.regions],
            "above": list({above for region in one.regions for above in ancestors(region.key)}),
        }
        return shared | (self._posting(one) if isinstance(one, Posting) else self._seeker(one))

    def _posting(self, one: Posting) -> Document:
        required = [self._skill(skill) for skill in one.required_skills]
        preferred = [self._skill(skill) for skill in one.preferred_skills if skill not in one.required_skills]
        pay = one.pay
        places = [(canonical(region.key), self._ties.centres.get(canonical(region.key))) for region in one.regions]
        return {
            "until": None if one.valid_through is None else one.valid_through.timestamp(),
            "pay_min": pay and pay.min,
            "pay_max": pay and pay.max,
            "currency": pay and pay.currency,
            "employment": one.employment_type,
            "benefits": list(one.benefits),
            "occupation": None if one.occupation is None else self._groups(one.occupation),
            "places": [{"key": key, "centre": centre} for key, centre in places if centre is not None],
            "required": required,
            "preferred": preferred,
            "required_weight": sum(skill["weight"] for skill in required),
            "preferred_weight": sum(skill["weight"] for skill in preferred),
        }

    def _seeker(self, one: Profile) -> Document:
        later = self._policy.occupation.later
        home = one.lives_in and canonical(one.lives_in.key)
        return {
            "lives_in": home,
            "lives_above": list(ancestors(home)) if home else [],
            "centre": self._ties.centres.get(home) if home else None,
            "floor": one.pay_floor and one.pay_floor.amount,
            "currency": one.pay_floor and one.pay_floor.currency,
            "employment": list(one.employment_types),
            "benefits": list(one.benefits_needed),
            "occupations": [
                self._groups(wish) | {"factor": later if rank else 1000} for rank, wish in enumerate(one.occupations)
            ],
            "skills": [skill.key for skill in one.skills],
        }

    def _skill(self, skill: Code) -> Document:
        return {"key": skill.key, "weight": self._policy.weight(skill.key, self._ties.namings.get(skill.key, 0))}

    def _groups(self, code: Code) -> Document:
        scheme = self._policy.occupation.schemes[code.scheme]
        return {
            "key": code.key,
            "narrow": code.code[: scheme.narrow_length],
            "broad": code.code[: scheme.broad_length],
        }


def pipeline(kind: AnchorKind, own: Document, policy: Policy) -> Iterator[Document]:
    """The stages of the question for one anchor's document."""
    by_posting = kind is AnchorKind.POSTING
    yield {"$match": {"$and": list(_for_posting(own) if by_posting else _for_seeker(own))}}
    literals = {name: {"$literal": value} for name, value in own.items()}
    paths = _Paths()
    posting, seeker = (literals, paths) if by_posting else (paths, literals)
    yield {
        "$set": {
            "close": _closeness(posting, seeker, policy),
            "has_required": _weight_of(posting["required"], seeker["skills"]),
            "has_preferred": _weight_of(posting["preferred"], seeker["skills"]),
        }
    }
    yield {"$match": {"$or": [{name: {"$gt": 0}} for name in ("close", "has_required", "has_preferred")]}}
    yield {"$project": {"points": {"$add": list(_points(posting, seeker, policy))}}}
    yield {"$match": {"points": {"$gte": policy.minimum}}}
    yield {"$sort": {"points": -1, "_id": 1}}
    yield {"$limit": LIST_SIZE}


class _Paths(dict[str, Expression]):
    """Every field of the counterpart, as a path."""

    def __missing__(self, name: str) -> str:
        return f"${name}"


def _for_posting(own: Document) -> Iterator[Document]:
    """Which seekers pass. `$not` also holds where the field is null: unknown is not no."""
    yield from _place(own, {"remote": {"$ne": False}} if own["remote"] else None)
    if own["education"] is not None:
        yield {"education": {"$not": {"$lt": own["education"]}}}
    if own["experience"] is not None:
        yield {"experience": {"$not": {"$lt": own["experience"]}}}
    if own["pay_max"] is not None:
        yield {"$nor": [{"currency": own["currency"], "floor": {"$gt": own["pay_max"]}}]}
    if own["employment"] is not None:
        yield {"employment": {"$in": [own["employment"], []]}}
    if own["licences"]:
        yield {"$or": [{"licences": None}, {"licences": {"$all": own["licences"]}}]}


def _for_seeker(own: Document) -> Iterator[Document]:
    """Which postings pass."""
    yield {"until": {"$not": {"$lte": NOW.timestamp()}}}
    yield from _place(own, None if own["remote"] is False else {"remote": True})
    if own["education"] is not None:
        yield {"education": {"$not": {"$gt": own["education"]}}}
    if own["experience"] is not None:
        yield {"experience": {"$not": {"$gt": own["experience"]}}}
    if own["floor"] is not None:
        yield {"$nor": [{"currency": own["currency"], "pay_max": {"$lt": own["floor"]}}]}
    if own["employment"]:
        yield {"employment": {"$in": [None, *own["employment"]]}}
    if own["licences"] is not None:
        yield {"licences": {"$not": {"$elemMatch": {"$nin": own["licences"]}}}}


def _place(own: Document, remote: Document | None) -> Iterator[Document]:
    """Regions of the two are the same, or one lies in the other; or one side names none."""
    if own["regions"]:
        near = [{"regions": {"$in": [*own["regions"], *own["above"], []]}}, {"above": {"$in": own["regions"]}}]
        yield {"$or": [*near, *([remote] if remote else [])]}


def _points(p: Document, s: Document, policy: Policy) -> Iterator[Expression]:
    """The components; the rules are those of `services/matcher/domain/kernels.py`."""
    weights = policy.numbers
    close = {"$divide": [{"$multiply": [weights.occupation, "$close"]}, 1_000_000]}
    yield _if(_eq("$close", None), weights.occupation // 2, {"$floor": close})
    yield _share(weights.required, "$has_required", p["required_weight"])
    yield _share(weights.preferred, "$has_preferred", p["preferred_weight"])
    yield _if(_either_missing(p["education"], s["education"]), weights.education // 2, weights.education)
    half = weights.experience // 2
    above = {"$min": [{"$subtract": [s["experience"], p["experience"]]}, weights.experience_span]}
    more = _floor({"$multiply": [half, above]}, weights.experience_span)
    yield _if(_either_missing(p["experience"], s["experience"]), half, {"$add": [half, more]})
    yield _place_points(p, s, policy)
    yield _pay_points(p, s, policy)
    half = weights.benefits // 2
    given = {"$size": {"$setIntersection": [p["benefits"], s["benefits"]]}}
    more = _floor({"$multiply": [half, given]}, {"$size": s["benefits"]})
    yield _if(_eq(s["benefits"], []), half, {"$add": [half, more]})
    yield _if(_share_some(p["key_groups"], s["key_groups"]), weights.key_group, 0)


def _closeness(p: Document, s: Document, policy: Policy) -> Expression:
    """In millionths; null if one side names no occupation."""
    rules = policy.occupation
    degrees = {"key": rules.same, "narrow": rules.narrow_group, "broad": rules.broad_group}
    branches = [
        {"case": _eq("$$wish." + name, "$$asked." + name), "then": permille} for name, permille in degrees.items()
    ]
    one = {"$multiply": ["$$wish.factor", {"$switch": {"branches": branches, "default": 0}}]}
    best = {"$max": {"$map": {"input": s["occupations"], "as": "wish", "in": one}}}
    return {
        "$let": {"vars": {"asked": p["occupation"]}, "in": _if(_eq({"$ifNull": ["$$asked", None]}, None), None, best)}
    }


def _place_points(p: Document, s: Document, policy: Policy) -> Expression:
    rules = policy.place
    ways = [
        _if(_share_some(p["regions"], s["regions"]), rules.same, 0),
        _if(_share_some(p["above"], s["regions"]), rules.within, 0),
        _if(_share_some(p["regions"], s["above"]), rules.around, 0),
        _if({"$and": [_eq(p["remote"], True), _eq(s["remote"], True)]}, rules.remote, 0),  # noqa: FBT003 - a literal
    ]
    # the gate has been passed, so what fits in no way fits because something is unknown
    best = {"$let": {"vars": {"best": {"$max": ways}}, "in": _if(_eq("$$best", 0), rules.unknown, "$$best")}}
    way, remote = _way(p, s, policy), {"$and": [_eq(p["remote"], True), _eq(s["remote"], True)]}  # noqa: FBT003 - a literal
    more = {"$max": [_if({"$or": [remote, _eq("$$way", None)]}, rules.way_unknown, 0), "$$way"]}
    return {"$min": [rules.maximum, {"$add": [best, {"$let": {"vars": {"way": way}, "in": more}}]}]}


def _way(p: Document, s: Document, policy: Policy) -> Expression:
    """Points for the way to work; null if it is not known."""
    rules = policy.place
    home = {"$in": [s["lives_in"], {"$setUnion": [p["regions"], p["above"]]}]}
    apart = {
        "$filter": {"input": p["places"], "as": "place", "cond": {"$not": {"$in": ["$$place.key", s["lives_above"]]}}}
    }
    near = {"$min": {"$map": {"input": apart, "as": "place", "in": _haversine("$$place.centre", s["centre"])}}}
    steps = [{"case": {"$lte": ["$$near", span_of(step.km)]}, "then": step.points} for step in rules.ways]
    points = _if(_eq("$$near", None), None, {"$switch": {"branches": steps, "default": 0}})
    return _if(home, rules.home, {"$let": {"vars": {"near": near}, "in": points}})


def _haversine(one: Expression, other: Expression) -> Expression:
    """Of two unit vectors; null if one is."""
    across = [{"$subtract": [{"$arrayElemAt": [one, axis]}, {"$arrayElemAt": [other, axis]}]} for axis in range(3)]
    return {"$divide": [{"$add": [{"$pow": [part, 2]} for part in across]}, 4]}


def _pay_points(p: Document, s: Document, policy: Policy) -> Expression:
    weights = policy.numbers
    half, floor = weights.pay // 2, s["floor"]
    low, high = {"$ifNull": [p["pay_min"], p["pay_max"]]}, {"$ifNull": [p["pay_max"], p["pay_min"]]}
    above = {"$multiply": [{"$subtract": [{"$add": [low, high]}, {"$multiply": [2, floor]}]}, half * 100]}
    points = {"$add": [half, _floor(above, {"$multiply": [2, floor, weights.pay_span]})]}
    bounded = {"$max": [0, {"$min": [weights.pay, points]}]}
    open_ended = {"$and": [_eq(p["pay_max"], None), {"$lt": [p["pay_min"], floor]}]}
    unknown = {
        "$or": [_either_missing(p["currency"], s["currency"]), {"$ne": [p["currency"], s["currency"]]}, open_ended]
    }
    return _if(unknown, half, _if(_eq(floor, 0), weights.pay, bounded))


def _weight_of(asked: Expression, had: Expression) -> Expression:
    """Summed weight of the skills asked for that are had."""
    one = _if({"$in": ["$$skill.key", had]}, "$$skill.weight", 0)
    return {"$sum": {"$map": {"input": asked, "as": "skill", "in": one}}}


def _share(maximum: int, part: Expression, whole: Expression) -> Expression:
    return _if(_eq(whole, 0), maximum // 2, _floor({"$multiply": [maximum, part]}, whole))


def _share_some(one: Expression, other: Expression) -> Expression:
    return {"$ne": [{"$setIntersection": [one, other]}, []]}


def _either_missing(one: Expression, other: Expression) -> Expression:
    return {"$or": [_eq(one, None), _eq(other, None)]}


def _floor(part: Expression, whole: Expression) -> Expression:
    return {"$floor": {"$divide": [part, whole]}}


def _eq(one: Expression, other: Expression) -> Expression:
    return {"$eq": [one, other]}


def _if(test: Expression, yes: Expression, no: Expression) -> Expression:
    return {"$cond": [test, yes, no]}
