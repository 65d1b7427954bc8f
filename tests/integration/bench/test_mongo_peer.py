from deploy.servers import Servers
from services.matcher.domain import load
from shared.contracts.recommendations import AnchorKind
from tests.bench.measures import exact
from tests.bench.mongodb import MongoPeer
from tests.bench.workload import Workload


def test_mongodb_answers_as_the_oracle(servers: Servers):
    policy = load()
    workload, size = Workload(policy, seed=3), (1_500, 800)
    postings, profiles = list(workload.postings(0, size[0])), list(workload.profiles(0, size[1]))
    with MongoPeer(servers.addresses.mongo, policy) as peer:
        peer.take_in([*profiles, *postings])
        for kind, anchors in ((AnchorKind.POSTING, postings), (AnchorKind.SEEKER, profiles)):
            wanted = frozenset(one.id for one in anchors[:120])
            right = exact(workload, kind, wanted, size, lambda _: None)
            assert {anchor: peer.top(kind, anchor) for anchor in wanted} == right
            assert sum(map(len, right.values())) > 30
