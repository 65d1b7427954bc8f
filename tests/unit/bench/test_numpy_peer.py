import pytest

from services.matcher.domain import load
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.taxonomy import ties_of
from shared.contracts.recommendations import AnchorKind
from tests.bench.measures import exact
from tests.bench.numpy_peer import NumpyPeer
from tests.bench.workload import Workload


@pytest.mark.parametrize("kind", list(AnchorKind))
def test_numpy_answers_as_the_oracle(kind: AnchorKind):
    policy, ties = load(), ties_of(MatcherSettings())
    workload, size = Workload(ties, seed=3), (1_500, 800)
    peer = NumpyPeer(workload, policy, ties, *size)
    postings, profiles = list(workload.postings(0, size[0])), list(workload.profiles(0, size[1]))
    peer.take_in(profiles)
    peer.take_in(postings)
    wanted = frozenset(one.id for one in (postings if kind is AnchorKind.POSTING else profiles)[:120])
    right = exact(workload, kind, wanted, size, lambda _: None)
    assert {anchor: peer.top(kind, anchor) for anchor in wanted} == right
    assert sum(map(len, right.values())) > 30
