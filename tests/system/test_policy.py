"""A matching policy is set on a running platform, and rolled back: lists follow, without a restart."""

from __future__ import annotations

import asyncio
import os
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from deploy.servers import PROJECT
from services.matcher.domain.policy import CURRENT
from shared.contracts.policies import MatchingPolicySet
from shared.contracts.registry import POLICIES, POSTING_LISTS, SEEKER_LISTS
from tests.system.topics import Topics, headers_of
from tests.system.town import OPERATOR, Town
from tests.waiting import until

PACKAGED = CURRENT.read_text("utf-8")
VERSION: str = tomllib.loads(PACKAGED)["version"]
OTHER = "2099.1"


async def command(town: Town, module: str, *arguments: str) -> tuple[int, str]:
    """Its status and what it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"services.matcher.{module}", *arguments),
        cwd=PROJECT,
        env=os.environ | town.servers.addresses.env(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def newest(topics: Topics) -> dict[str, str]:
    """The policy that the newest list of each anchor names."""
    records = await topics.read(POSTING_LISTS, SEEKER_LISTS)
    return {record.body["anchor"]: record.body["policy"] for record in records if record.value}


async def test_a_policy_is_set_without_a_restart_and_rolled_back(town: Town, topics: Topics, tmp_path: Path):
    employer = await town.new_employer()
    posting = await town.new_posting(employer)
    anchors = {posting, await town.new_seeker(), await town.new_seeker()}

    async def all_name(version: str) -> bool:
        named = await newest(topics)
        return {named.get(anchor) for anchor in anchors} == {version}

    await until(lambda: all_name(VERSION), "lists under the packaged policy")
    other = tmp_path / "other.toml"
    other.write_text(
        PACKAGED.replace(f'version = "{VERSION}"', f'version = "{OTHER}"').replace("home = 20", "home = 30")
    )

    status, said = await command(town, "policies", "set", str(other), "--by", "op-1")
    assert (status, "place.home: 20 -> 30" in said) == (0, True), said
    await until(lambda: all_name(OTHER), "lists under the policy that was set")

    town.platform["matcher"].restart().wait_ready()
    anchors.add(await town.new_seeker())
    await until(lambda: all_name(OTHER), "a new list under it after a restart")

    dishonest = tmp_path / "dishonest.toml"
    dishonest.write_text(other.read_text().replace("home = 30", "home = 40"))
    status, said = await command(town, "policies", "set", str(dishonest))
    assert (status, "another text" in said) == (1, True), said

    status, said = await command(town, "policies", "rollback")
    assert (status, f"{VERSION} holds" in said) == (0, True), said
    await until(lambda: all_name(VERSION), "lists under the packaged policy again")
    asked = await town.ask(OPERATOR, "GET", "matcher", f"/lists/posting/{posting}")
    assert asked.json()["policy"] == VERSION

    status, said = await command(town, "verify")
    assert (status, said.count("0 differ")) == (0, 1), said
    status, said = await command(town, "replay", str(other), "--out", str(tmp_path / "replay"))
    assert (status, "of 4 lists would change" in said) == (0, True), said
    assert f"{VERSION} -> {OTHER}" in (tmp_path / "replay" / "report.md").read_text()


async def test_what_is_no_policy_on_the_topic_is_ignored_and_raises_an_alarm(town: Town, topics: Topics):
    setting = MatchingPolicySet(policy="broken", revision=1_000, text='version = "broken"', set_at=datetime.now(UTC))
    headers = headers_of("MatchingPolicySet", POLICIES, 1_000)
    await topics.write(POLICIES, b"broken", setting.model_dump_json().encode(), headers)

    async def alarmed() -> bool:
        answer = await town.http.get(town.url("matcher", "/metrics"))
        return "matching_policies_refused 1.0" in str(answer.text)

    await until(alarmed, "the alarm")
    seeker = await town.new_seeker()

    async def answered() -> bool:
        return (await newest(topics)).get(seeker) == VERSION

    await until(answered, "a list under the policy that holds")
