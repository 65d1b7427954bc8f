"""Sentence vectors: what a short text means, as a point near texts that mean the same.

Two small models, Chinese and English, run here by onnxruntime. They are apart: a Chinese and an English vector
have nothing to do with one another, the languages meet in the taxonomy (`shared.linking.titles`). Any other
language goes to the English model, which is weak there: it knows of German or Swedish only what looks like
English (title matching in German and Spanish falls below plain character overlap).
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal, cast

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from shared.settings import ROOT

Language = Literal["zh", "en"]
Vectors = NDArray[np.float32]

PINS: Final = ROOT / "deploy" / "models" / "SHA256SUMS"
FILES: Final[Mapping[Language, tuple[str, str]]] = {
    "zh": ("bge-small-zh-v1.5-q.onnx", "bge-small-zh-v1.5-q-tokenizer.json"),
    "en": ("bge-small-en-v1.5-q.onnx", "bge-small-en-v1.5-q-tokenizer.json"),
}
"""Model and tokenizer by language: BAAI's bge-small v1.5 with 8-bit weights."""
DIMENSIONS: Final[Mapping[Language, int]] = {"zh": 512, "en": 384}
TOKENS: Final = 64
"""Of a longer text the first ones count: a title has 6."""

_HAN: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def language(text: str) -> Language:
    """Which model reads it: zh if there is a Chinese character in it, else en."""
    return "zh" if _HAN.search(text) else "en"


def models_folder(given: Path | None = None) -> Path:
    """`given` (MODELS_DIR), else where `python -m deploy.models` puts what the pins name."""
    return given or ROOT / ".cache" / f"models-{hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]}"


def have_models(folder: Path) -> bool:
    """Whether every file is there."""
    return all((folder / name).is_file() for pair in FILES.values() for name in pair)


class Encoder:
    """Both models, loaded when first needed, and the vectors of the texts that were asked last.

    A text's vector is the same whatever it is asked with: each runs through the model alone. The models scale
    their activations by the whole batch (dynamic quantisation), so in a batch of 32 the same title came out with
    a cosine of 0.99 to itself, also among texts of equal length: more than what parts some neighbours.

    `threads` run side by side, each on one core: services that share a machine keep the 1, set-up takes all.
    May be called from several threads. `remembered`: how many vectors are kept (1.5 to 2 kB each).
    """

    def __init__(self, folder: Path, threads: int = 1, remembered: int = 10_000) -> None:
        if not have_models(folder):
            raise FileNotFoundError(f"no sentence models in {folder}: `python -m deploy.models` fetches them")
        self._folder = folder
        self._remembered = remembered
        self._pool = ThreadPoolExecutor(threads, "encoder") if threads > 1 else None
        self._models: dict[Language, _Model] = {}
        self._known: OrderedDict[tuple[Language, str], Vectors] = OrderedDict()
        self._lock = threading.Lock()
        digest = hashlib.sha256()
        for pair in FILES.values():
            for name in pair:
                digest.update(f"{name} {(folder / name).stat().st_size}\n".encode())
        digest.update(PINS.read_bytes())
        self.version: str = f"bge-small-v1.5-q.{digest.hexdigest()[:8]}"
        """Equal only if the models are."""

    def encode(self, texts: Sequence[str], spoken: Language) -> Vectors:
        """One vector of length 1 a text: (texts, 512) in zh, (texts, 384) in en, float32."""
        with self._lock:
            found: dict[str, Vectors] = {}
            for text in texts:
                vector = self._known.get((spoken, text))
                if vector is not None:
                    self._known.move_to_end((spoken, text))
                    found[text] = vector
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            found.update(zip(missing, self._run(missing, spoken), strict=True))
            with self._lock:
                self._known.update({(spoken, text): found[text] for text in missing[-self._remembered :]})
                while len(self._known) > self._remembered:
                    self._known.popitem(last=False)
        if not texts:
            return np.zeros((0, DIMENSIONS[spoken]), np.float32)
        return np.stack([found[text] for text in texts])

    def _run(self, texts: Sequence[str], spoken: Language) -> list[Vectors]:
        with self._lock:
            model = self._models.get(spoken)
            if model is None:
                model = self._models[spoken] = _Model(self._folder, *FILES[spoken])
        encoded = model.tokenizer.encode_batch(list(texts))
        if self._pool is None or len(encoded) == 1:
            return [model.vector(one) for one in encoded]
        return list(self._pool.map(model.vector, encoded))


class _Model:
    """One model with its tokenizer."""

    def __init__(self, folder: Path, model: str, tokenizer: str) -> None:
        options = ort.SessionOptions()
        # A title is too short to be shared between cores: more threads would only wait for each other.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(str(folder / model), options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(folder / tokenizer))
        self.tokenizer.enable_truncation(TOKENS)
        self.tokenizer.no_padding()

    def vector(self, encoded: Encoding) -> Vectors:
        """The first token's last state (CLS pooling, as bge was trained), of length 1."""
        ids = np.array([encoded.ids], np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        state = cast("Vectors", self._session.run(None, inputs)[0])[0, 0]
        return cast("Vectors", state / np.linalg.norm(state))
