"""Contacts: only the right key, for the right person and field, opens them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis.strategies import builds, none, text

from services.profiles.domain.contacts import CannotOpen, KeyRing, read_keys
from services.profiles.domain.seekers import Contact

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = b"o" * 32, b"n" * 32
WANG = Contact(name="王芳", phone="+86 138 0013 8000", email="wf@example.org")


@given(builds(Contact, name=none() | text(min_size=1, max_size=200), phone=none(), email=none()))
def test_a_contact_comes_back_as_it_was(contact: Contact) -> None:
    ring = KeyRing(NEW)
    assert ring.open("s1", ring.seal("s1", contact)) == contact


def test_what_is_stored_shows_nothing_and_never_repeats() -> None:
    ring = KeyRing(NEW)
    once, twice = ring.seal("s1", WANG), ring.seal("s1", WANG)
    assert set(once) == {"name", "phone", "email"}
    assert all(once[field] != twice[field] for field in once)
    assert "王芳".encode() not in once["name"]


def test_it_opens_for_the_same_person_and_field_only() -> None:
    ring = KeyRing(NEW)
    sealed = ring.seal("s1", WANG)
    moved = [
        ("s2", sealed),
        ("s1", {"email": sealed["name"]}),
        ("s1", {"name": sealed["name"][:-1] + bytes([sealed["name"][-1] ^ 1])}),
        ("s1", {"name": sealed["name"][:10]}),
        ("s1", {"name": b""}),
    ]
    for seeker, boxes in moved:
        with pytest.raises(CannotOpen):
            ring.open(seeker, boxes)


def test_after_a_rotation_the_old_opens_and_the_new_seals(tmp_path: Path) -> None:
    (tmp_path / "profile.key").write_bytes(base64.b64encode(OLD))
    sealed = read_keys(tmp_path).seal("s1", WANG)
    (tmp_path / "profile.key").rename(tmp_path / "profile.key.2026-03")
    (tmp_path / "profile.key").write_bytes(base64.b64encode(NEW) + b"\n")
    ring = read_keys(tmp_path)
    assert ring.open("s1", sealed) == WANG
    assert KeyRing(NEW).open("s1", ring.seal("s1", WANG)) == WANG
    with pytest.raises(CannotOpen):
        KeyRing(NEW).open("s1", sealed)


@pytest.mark.parametrize("content", [b"", b"c2hvcnQ=", b"not base64!"])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "profile.key").write_bytes(content)
    with pytest.raises(ValueError, match="profile"):
        read_keys(tmp_path)


def test_without_a_key_the_service_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_keys(tmp_path)


def test_fingerprints_differ_by_part_and_key() -> None:
    ring = KeyRing(NEW)
    prints = {
        ring.fingerprint(b"a", b"bc"),
        ring.fingerprint(b"ab", b"c"),
        KeyRing(OLD).fingerprint(b"a", b"bc"),
    }
    assert len(prints) == 3
    assert KeyRing(NEW).fingerprint(b"a", b"bc") in prints
