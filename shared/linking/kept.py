"""The patterns of a taxonomy, worked out once and kept in a file for all processes."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from pathlib import Path
from typing import Final

import msgspec
from cramjam import DecompressionError, zstd

from shared.linking.labels import Labels, labels_of
from shared.taxonomy import Taxonomy

_LEVEL: Final = 6
_CODE: Final = ("ambiguity.py", "labels.py", "words.py")
"""What the patterns hang on beside the taxonomy."""


def kept_labels(taxonomy: Taxonomy, folder: Path) -> Labels:
    """Out of `folder`, or worked out and written there, if it may be. A file that cannot be read is written anew."""
    path = folder / f"labels-{_digest(taxonomy.version)}.msgpack.zst"
    with contextlib.suppress(FileNotFoundError, DecompressionError, msgspec.DecodeError):
        return msgspec.msgpack.decode(bytes(zstd.decompress(path.read_bytes())), type=Labels)
    labels = labels_of(taxonomy)
    # an image's folder cannot be written to: then each start takes the seconds
    with contextlib.suppress(PermissionError):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=path.name, delete=False) as part:
            part.write(bytes(zstd.compress(msgspec.msgpack.encode(labels), level=_LEVEL)))
        Path(part.name).chmod(0o644)
        Path(part.name).replace(path)
    return labels


def _digest(version: str) -> str:
    digest = hashlib.sha256(version.encode())
    for name in _CODE:
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()[:12]
