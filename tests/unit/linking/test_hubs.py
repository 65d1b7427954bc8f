"""What is kept of the labels' vectors is what a process reads again."""

from hashlib import blake2b
from pathlib import Path

import msgspec
import numpy as np
import pytest

from shared.linking.hubs import ensure_hubs, load_hubs
from shared.taxonomy import Concept, Taxonomy
from shared.taxonomy.model import FORMAT, Relations, Stored


class Drawn:
    """In the place of the models: a vector of 12 for each text, by chance and always the same."""

    version = "drawn.1"

    def __init__(self) -> None:
        self.asked = 0

    def encode(self, texts: list[str], _: str) -> np.ndarray:
        self.asked += len(texts)
        seeds = (int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big") for text in texts)
        return np.array([np.random.default_rng(seed).normal(size=12) for seed in seeds], np.float32)


def small(version: str) -> Taxonomy:
    names = ("welder", "nurse", "cook", "driver")
    concepts = [
        Concept(f"esco:{name}", "occupation", {"en": name}, {"en": (f"{name} of ships", f"old {name}")}, (), None, None)
        for name in names
    ]
    relations, none = msgspec.msgpack.encode(Relations({}, {}, {})), msgspec.msgpack.encode({})
    return Taxonomy(Stored(FORMAT, version, {}, {}, {}, tuple(concepts), msgspec.Raw(relations), msgspec.Raw(none)))


def test_vectors_are_computed_once_and_read_again_as_they_were(tmp_path: Path) -> None:
    encoder, taxonomy = Drawn(), small("small")
    path = ensure_hubs(tmp_path / "small.taxonomy", taxonomy, encoder, lambda _: None)  # type: ignore[arg-type]
    asked = encoder.asked
    assert asked >= 12
    assert ensure_hubs(tmp_path / "small.taxonomy", taxonomy, encoder, lambda _: None) == path  # type: ignore[arg-type]
    assert encoder.asked == asked, "what is there is not computed again"
    found = load_hubs(path, taxonomy)
    assert found is not None
    hubs = found["en"]
    texts = [label.text for label in hubs.labels]
    assert hubs.place(encoder.encode(texts, "en")) == pytest.approx(hubs.vectors, abs=0.01)


def test_vectors_of_another_taxonomy_are_computed_anew(tmp_path: Path) -> None:
    encoder = Drawn()
    path = ensure_hubs(tmp_path / "small.taxonomy", small("small"), encoder, lambda _: None)  # type: ignore[arg-type]
    asked = encoder.asked
    assert load_hubs(path, small("another")) is None
    ensure_hubs(tmp_path / "small.taxonomy", small("another"), encoder, lambda _: None)  # type: ignore[arg-type]
    assert encoder.asked == 2 * asked
