"""A record's `ce_source` may say anything but that another partner sent it."""

import pytest

from services.postings.domain.sources import names_another


@pytest.mark.parametrize(
    ("source", "another"),
    [
        ("", False),
        ("urn:partner:north", False),
        ("URN:Partner:North", False),
        (" urn:partner:north ", False),
        ("urn:partner:north:feed/7", False),
        ("urn:partner:north/jobs", False),
        ("urn:partner:north?day=1", False),
        ("urn:partner:north#1", False),
        ("https://north.example/jobs", False),
        ("urn:partners:south", False),
        ("/jobs", False),
        ("urn:partner:south", True),
        ("URN:PARTNER:SOUTH", True),
        (" urn:partner:south", True),
        ("urn:partner:south:north", True),
        ("urn:partner:northern", True),
        ("urn:partner:north-2", True),
        ("urn:partner:nort", True),
        ("urn:partner:", True),
    ],
)
def test_only_another_partners_name_is_refused(source: str, *, another: bool) -> None:
    assert names_another("north", source) == another
