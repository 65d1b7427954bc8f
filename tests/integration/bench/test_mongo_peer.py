from deploy.servers import Servers
from services.matcher.domain import load
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.taxonomy import ties_of
from shared.contracts.recommendations import AnchorKind
from tests.bench.measures import exact
from tests.bench.mongodb import MongoPeer
from tests.bench.workload import Workload


def test_mongodb_answers_as_the_oracle(servers: Servers):
    policy, ties = load(), ties_of(MatcherSettings())
    workload, size = Workload(ties, seed=3), (1_500, 800)
    postings, profiles = list(workload.postings(0, size[0])), list(workload.profiles(0, size[1]))
    with MongoPeer(servers.addresses.mongo, policy, ties) as peer:
        peer.take_in([*profiles, *postings])
        for kind, anchors in ((AnchorKind.POSTING, postings), (AnchorKind.SEEKER, profiles)):
            wanted = frozenset(one.id for one in anchors[:120])
            right = exact(workload, kind, wanted, size, lambda _: None)
            assert {anchor: peer.top(kind, anchor) for anchor in wanted} == right
            assert sum(map(len, right.values())) > 30
