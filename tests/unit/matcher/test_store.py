import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest

from services.matcher import store
from services.matcher.domain import Index
from services.matcher.domain.index import Index as Rows
from services.matcher.domain.ties import NO_TIES
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind
from tests.oracle import worlds
from tests.unit.matcher.examples import NOW, POLICY, TIES, profile

DAY = timedelta(days=1)
MARK = store.Mark(created_at=NOW, offsets={"postings.v1": (3, 4), "profiles.v1": (5,)}, notes={"a": [1, "b"]})


def world(seed: int) -> Index:
    random, index = Random(seed), Index(POLICY, TIES)
    for number in range(60):
        index.upsert_posting(Posting.model_validate(worlds.posting(random, f"p{number}")))
        index.upsert_profile(Profile.model_validate(worlds.profile(random, f"s{number}")))
    for number in random.sample(range(60), 10):
        index.remove_posting(f"p{number}", 2, NOW)
        index.remove_profile(f"s{number}", 2, NOW)
    return index


def answers(index: Index) -> list[object]:
    return [index.top(kind, name, NOW) for kind in AnchorKind for name in sorted(index.anchors(kind))]


@pytest.mark.parametrize("seed", range(5))
def test_what_comes_back_is_what_was_written(seed: int, tmp_path: Path):
    index, path = world(seed), tmp_path / "state" / "index.snapshot"
    store.write(path, store.capture(index, MARK))
    found = store.read(path, POLICY, TIES, NOW + timedelta(hours=23), DAY)
    assert found is not None
    again, mark = found
    assert mark == MARK
    assert answers(again) == answers(index)
    assert (again.postings.resting, again.postings.gone) == (index.postings.resting, index.postings.gone)
    assert (again.seekers.resting, again.seekers.gone) == (index.seekers.resting, index.seekers.gone)
    random = Random(seed)
    for change in range(100):
        name = random.choice([f"s{random.randint(0, 59)}", f"new-{change}"])
        model = Profile.model_validate(worlds.profile(random, name, change + 3))
        assert again.upsert_profile(model) == index.upsert_profile(model)
    assert answers(again) == answers(index)


def test_a_capture_does_not_move_with_the_index(tmp_path: Path):
    index, path = world(1), tmp_path / "index.snapshot"
    before, captured = answers(index), store.capture(index, MARK)
    for name in list(index.anchors(AnchorKind.SEEKER)):
        index.remove_profile(name, 99, NOW)
    store.write(path, captured)
    found = store.read(path, POLICY, TIES, NOW, DAY)
    assert found is not None
    assert answers(found[0]) == before


def test_an_erased_seeker_is_not_in_the_file(tmp_path: Path):
    index, path = Index(POLICY, TIES), tmp_path / "index.snapshot"
    index.upsert_profile(profile("somebody", skills=[{"scheme": "esco", "code": "welding"}]))
    index.remove_profile("somebody", 2, NOW)
    index.forget_tombstones(NOW + DAY)
    store.write(path, store.capture(index, MARK))
    assert b"somebody" not in path.read_bytes()


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def other_layout(path: Path) -> None:
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["seekers.rows"] = arrays["seekers.rows"][["version", "live"]]
    with path.open("wb") as file:
        np.savez(file, **arrays)


@pytest.mark.parametrize("harm", [Path.unlink, damaged, cut, emptied, other_layout])
def test_what_cannot_be_read_is_not_used(harm: Callable[[Path], None], tmp_path: Path):
    path = tmp_path / "index.snapshot"
    store.write(path, store.capture(world(2), MARK))
    harm(path)
    assert store.read(path, POLICY, TIES, NOW, DAY) is None


def test_another_policy_or_taxonomy_or_format_or_age_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "index.snapshot"
    store.write(path, store.capture(world(3), MARK))
    weights = POLICY.skill_weights.model_copy(update={"default": 11})
    assert store.read(path, POLICY.model_copy(update={"skill_weights": weights}), TIES, NOW, DAY) is None
    assert store.read(path, POLICY, NO_TIES, NOW, DAY) is None
    assert store.read(path, POLICY, TIES, NOW + DAY + timedelta(seconds=1), DAY) is None
    assert store.read(path, POLICY, TIES, NOW + DAY, DAY) is not None
    monkeypatch.setattr(store, "FORMAT", store.FORMAT + 1)
    assert store.read(path, POLICY, TIES, NOW, DAY) is None


def test_a_hundred_thousand_rows_are_back_soon(tmp_path: Path):
    index, path = Index(POLICY, TIES), tmp_path / "index.snapshot"
    one = profile()
    for number in range(100_000):
        index.upsert_profile(one.model_copy(update={"id": f"seeker-{number}"}))
    store.write(path, store.capture(index, MARK))
    start = time.perf_counter()
    found = store.read(path, POLICY, TIES, NOW, DAY)
    took = time.perf_counter() - start
    print(f"{took:.2f} s, {path.stat().st_size:,} bytes")
    assert found is not None
    assert isinstance(found[0], Rows)
    assert len(found[0].seekers.row_of) == 100_000
    assert took < 10, "2 s on an idle machine"


def test_a_policy_has_one_fingerprint_in_every_process():
    asked = (
        "from services.matcher import store; from services.matcher.domain import load; print(store.fingerprint(load()))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", asked], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
