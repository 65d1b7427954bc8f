"""Contacts are encrypted field by field with AES-256-GCM, bound to the seeker and the field.

A stored field is `key id (4) | nonce (12) | ciphertext and tag`. The associated data is the seeker's id and
the field's name, so that a ciphertext cannot be moved to another person or field. Nonces are random: NIST SP
800-38D allows 2^32 of them for one key, far more than there are fields.

Rotation: `profile.key` becomes `profile.key.<anything>`, a new one takes its place; the old one still opens
what it sealed, and each contact that is saved anew is sealed with the new one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.profiles.domain.seekers import Contact

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KEY_FILE: Final = "profile.key"
KEY_BYTES: Final = 32
_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12

Sealed = dict[str, bytes]
"""The fields of a contact that are known, each encrypted."""


class CannotOpen(Exception):  # noqa: N818 - says what is wrong
    """A sealed field does not open: its key is not here, or it was changed or moved. Nothing personal."""


class KeyRing:
    """The key that seals, and the keys that open. A key's id is the start of its SHA-256."""

    def __init__(self, current: bytes, older: Iterable[bytes] = ()) -> None:
        """Keys of 32 bytes each. Raises ValueError for any other length."""
        keys = [current, *older]
        if any(len(key) != KEY_BYTES for key in keys):
            message = f"a profile key has {KEY_BYTES} bytes"
            raise ValueError(message)
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._current = _key_id(current)
        self._fingerprints = hmac.digest(current, b"fingerprints", "sha256")

    def seal(self, seeker: str, contact: Contact) -> Sealed:
        """Encrypt the known fields with the current key."""
        return {name: self.seal_text(seeker, name, value) for name, value in contact if value is not None}

    def seal_text(self, seeker: str, field: str, text: str) -> bytes:
        """Encrypt one field with the current key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        box = self._ciphers[self._current].encrypt(nonce, text.encode(), _bound_to(seeker, field))
        return self._current + nonce + box

    def open(self, seeker: str, sealed: Sealed) -> Contact:
        """Decrypt what `seal` gave for this seeker. Raises CannotOpen."""
        fields = {name: self.open_text(seeker, name, value) for name, value in sealed.items()}
        return Contact.model_construct(set(fields), **fields)

    def open_text(self, seeker: str, field: str, value: bytes) -> str:
        """Decrypt what `seal_text` gave for this seeker and field. Raises CannotOpen."""
        cipher = self._ciphers.get(value[:_ID_BYTES])
        nonce, box = value[_ID_BYTES : _ID_BYTES + _NONCE_BYTES], value[_ID_BYTES + _NONCE_BYTES :]
        if cipher is None:
            raise CannotOpen
        try:
            return cipher.decrypt(nonce, box, _bound_to(seeker, field)).decode()
        except (InvalidTag, ValueError) as error:
            raise CannotOpen from error

    def fingerprint(self, *parts: bytes) -> bytes:
        """Tell two requests apart, keeping nothing from which a person could be guessed: HMAC-SHA-256."""
        framed = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hmac.digest(self._fingerprints, framed, "sha256")


def read_keys(keys_dir: Path) -> KeyRing:
    """Read `profile.key` and, for what was sealed before, every `profile.key.<anything>`: base64 of 32 bytes.

    Raises FileNotFoundError without a current key, ValueError for a file that is no key.
    """
    older = sorted(keys_dir.glob(f"{KEY_FILE}.*"))
    return KeyRing(_read_key(keys_dir / KEY_FILE), [_read_key(path) for path in older])


def _read_key(path: Path) -> bytes:
    try:
        return base64.b64decode(path.read_bytes().strip(), validate=True)
    except binascii.Error as error:
        message = f"{path.name} is no base64"
        raise ValueError(message) from error


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_ID_BYTES]


def _bound_to(seeker: str, field: str) -> bytes:
    return f"{seeker}\0{field}".encode()
