"""Who has which right, and what the state of a partner is by them."""

import pytest

from deploy.operator.rights import Right, account, owner, reading, retirement, standings, writing
from shared.contracts.registry import PARTNER_POSTINGS_PATTERN


@pytest.mark.parametrize("user", ["north", "north~", "~1", "north~0", "north~01", "north~1~2", "North~1", "a.b~1", "*"])
def test_what_is_no_account_of_a_partner_belongs_to_nobody(user: str) -> None:
    assert owner(user) is None


def test_an_account_says_whose_it_is() -> None:
    assert owner(account("north-2", 13)) == ("north-2", 13)


def test_no_right_of_one_partner_reaches_another_whose_id_begins_the_same() -> None:
    mine = [*reading("north", 1), writing("north", 1)]
    other = [*reading("north-2", 1), writing("north-2", 1)]
    for right in mine:
        begins = [one.name for one in other if right.prefixed and one.name.startswith(right.name)]
        assert right.name not in {one.name for one in other}
        assert begins == []
    assert {right.name for right in mine if right.prefixed} == {"partner.north."}
    assert not {right.name for right in mine} & {"postings.partners", "postings.v1", PARTNER_POSTINGS_PATTERN}


def test_states_follow_from_what_kafka_has() -> None:
    users = ["active~1", "active~2", "paused~3", "unfinished", "gone~1", "kafka-admin"]
    rights = [
        *reading("active", 1),
        writing("active", 2),
        *reading("paused", 3),
        *reading("begun", 1),
        writing("begun", 1),
        retirement("gone"),
        Right("kafka-admin", "topic", "partner.paused.postings.v1", "write"),
        Right("*", "topic", "postings.v1", "all", denied=True),
        Right("*", "topic", "partner.paused.postings.v1", "read", denied=True),
    ]
    found = standings(users, rights)
    assert {partner: (one.state, one.accounts) for partner, one in found.items()} == {
        "active": ("active", (1, 2)),
        "paused": ("paused", (3,)),
        "begun": ("active", ()),
        "gone": ("retired", (1,)),
    }
    assert found["active"].of(2) == [writing("active", 2)]
    assert found["active"].to_write() == [writing("active", 2)]
