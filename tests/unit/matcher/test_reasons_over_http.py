"""Who may ask why and why not, what they are told of a few people, and how it is said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from fastapi import FastAPI

from services.matcher import api
from services.matcher.domain.changes import Change, What
from services.matcher.domain.gates import GATES
from services.matcher.domain.reasons import Gain
from services.matcher.domain.saying import say_change, say_gain, say_shut_out
from services.matcher.usecases.questions import Questions
from shared import http
from shared.auth import JWKS, Authenticator, Role, ensure_dev_keys, mint
from shared.contracts.common import Texts
from shared.contracts.recommendations import AnchorKind
from tests.unit.matcher import examples
from tests.unit.matcher.test_matching import Process

POSTING, SEEKER = AnchorKind
KNOWN: dict[str, Texts] = {"gbt2260:370103": {"zh": "市中区", "en": "Shizhong"}}


class Asking:
    """A matcher's questions over HTTP, of a posting that suits 6 people, and 3 more for more pay."""

    def __init__(self, keys: Path) -> None:
        self.keys = keys
        ensure_dev_keys(keys)
        process = Process()
        index = process.world.index
        index.upsert_posting(examples.posting(pay={"max": 7_000, "currency": "CNY"}))
        for number in range(11):
            floor = 7_050 if number < 3 else 5_000
            education = "primary" if number > 8 else "bachelor"
            terms: dict[str, Any] = {"pay_floor": {"amount": floor, "currency": "CNY"}, "education": education}
            index.upsert_profile(examples.profile(f"s{number}", **terms))
        app = FastAPI()
        http.install(app)
        app.include_router(api.router(Questions(process.world, process.matching), Authenticator(keys / JWKS)))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://matcher")

    async def get(self, path: str, role: Role, sub: str = "someone", employer: str | None = None) -> httpx.Response:
        token = mint(self.keys, role, sub, employer=employer)
        return await self.client.get(path, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
async def asking(tmp_path: Path) -> AsyncIterator[Asking]:
    made = Asking(tmp_path)
    async with made.client:
        yield made


@pytest.mark.parametrize(
    ("path", "role", "caller", "status"),
    [
        ("/postings/p/reach", "operator", {}, 200),
        ("/postings/p/reach", "employer", {"employer": "e"}, 200),
        ("/postings/p/reach", "employer", {"employer": "other"}, 404),
        ("/postings/p/reach", "seeker", {"sub": "s1"}, 404),
        ("/postings/p/reach", "matchmaker", {"sub": "mm"}, 404),
        ("/postings/x/reach", "operator", {}, 404),
        ("/seekers/s1/unlocks", "operator", {}, 200),
        ("/seekers/s1/unlocks", "seeker", {"sub": "s1"}, 200),
        ("/seekers/s1/unlocks", "matchmaker", {"sub": "mm"}, 200),
        ("/seekers/s1/unlocks", "matchmaker", {"sub": "other"}, 404),
        ("/seekers/s1/unlocks", "seeker", {"sub": "s2"}, 404),
        ("/seekers/s1/unlocks", "employer", {"employer": "e"}, 404),
        ("/explain?posting=p&seeker=s1", "seeker", {"sub": "s1"}, 200),
        ("/explain?posting=p&seeker=s1", "employer", {"employer": "e"}, 404),
    ],
)
async def test_who_may_ask(asking: Asking, path: str, role: Role, caller: dict[str, str], status: int):
    assert (await asking.get(path, role, **caller)).status_code == status


async def test_an_operator_is_told_all_counts(asking: Asking):
    body = (await asking.get("/postings/p/reach", "operator")).json()
    assert (body["others"], body["recommendable"], body["active"], body["anchor_version"]) == (11, 6, True, 1)
    assert [(one["gate"], one["count"]) for one in body["shut_out"]] == [("pay", 3), ("education", 2)]
    assert told(body, "pay") == [(100, 3, True)]
    assert body["changes"][0]["explanation"] == {
        "zh": "岗位月薪上限提高100 CNY，至7,100：增加3人符合条件。",
        "en": "The posting pays up to 7,100 CNY a month, 100 more: 3 more people qualify.",
    }


async def test_an_employer_is_not_told_of_a_few_people(asking: Asking):
    body = (await asking.get("/postings/p/reach", "employer", employer="e")).json()
    assert (body["others"], body["recommendable"]) == (11, 6)
    assert [one["count"] for one in body["shut_out"]] == [None, None]
    assert told(body, "pay") == [(100, None, True)]
    assert "3" not in body["shut_out"][0]["explanation"]["en"]
    assert body["changes"][0]["explanation"]["zh"].endswith("增加不足5人符合条件。")
    assert not any(f"s{number}" in str(body) for number in range(11))


async def test_a_seeker_is_told_of_single_postings(asking: Asking):
    body = (await asking.get("/seekers/s1/unlocks", "seeker", "s1")).json()
    assert (body["others"], body["recommendable"]) == (1, 0)
    assert told(body, "pay") == [(100, 1, True)]


async def test_a_pair_has_the_nearest_changes(asking: Asking):
    body = (await asking.get("/explain?posting=p&seeker=s1", "operator")).json()
    assert body["failed_gates"] == ["pay"]
    assert [one["explanation"]["en"] for one in body["changes"]] == [
        "The posting pays up to 7,050 CNY a month, 50 more.",
        "The seeker works for 7,000 CNY a month, 50 less.",
    ]


def told(body: dict[str, Any], what: What) -> list[tuple[int, int | None, bool]]:
    return [(one["by"], one["gained"], one["best"]) for one in body["changes"] if one["what"] == what]


def test_there_are_words_for_every_change_and_gate():
    for kind in AnchorKind:
        for what in get_args(What):
            if (kind, what) != (POSTING, "skills"):
                name = {"education": "bachelor", "employment_type": "part_time"}.get(what, "gbt2260:370103")
                said = say_change(Change(kind, what, (name,), to=6, by=6, currency="CNY"), KNOWN.get)
                assert all(len(text) > 5 and "{" not in text and "None" not in text for text in said.values())
        for gate in set(GATES) - {"open", "active", "consent"}:
            assert say_shut_out(kind, gate, 7)["en"].startswith("The ")


@pytest.mark.parametrize(
    ("gain", "zh", "en"),
    [
        (
            Gain(Change(POSTING, "region", ("gbt2260:370103",)), 1_340),
            "工作地点增加市中区：增加1,340人符合条件。",
            "The work can also be done in Shizhong: 1,340 more people qualify.",
        ),
        (
            Gain(Change(POSTING, "employment_type", ("part_time",)), 9, 70),
            "岗位改为非全日制：增加9人符合条件，减少70人。",
            "The posting offers part-time work instead: 9 more people qualify, 70 people no longer.",
        ),
        (
            Gain(Change(POSTING, "experience", to=0, by=12), 1),
            "岗位不要求工作经验：增加1人符合条件。",
            "The posting asks for no experience: 1 more person qualifies.",
        ),
        (
            Gain(Change(SEEKER, "skills", ("esco:weld",)), 12),
            "求职者掌握技能：weld：12个岗位的必备技能由此齐备。",
            "The seeker learns weld: then no required skill is missing for 12 postings.",
        ),
    ],
)
def test_how_it_is_said(gain: Gain, zh: str, en: str):
    assert say_gain(gain, gain.gained, gain.lost, KNOWN.get) == {"zh": zh, "en": en}
