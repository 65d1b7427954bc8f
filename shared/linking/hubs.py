"""The taxonomy's labels as points: what titles are held against.

A hub is a concept with its labels: in English an occupation of ESCO, in Chinese a unit group of ISCO-08 or a
minor group of the Chinese classification. The space of the vectors is bent so that labels of one hub lie nearer
together (`bending`). Everything is computed once for a taxonomy and the models, and kept beside the taxonomy's file.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.linking.meaning import Encoder, Language, Vectors
from shared.taxonomy import Concept, Taxonomy

FORMAT: Final = 2
SHRINKAGE: Final = 0.3
PROFILE: Final = 256
"""Dimensions that the skills of an occupation are put into."""
ROUNDS: Final = 4
UNIT_GROUP: Final = 4
MINOR_GROUP: Final = 7


class Label(NamedTuple):
    """One label: its text, the concept that bears it, and the hub that it belongs to."""

    text: str
    concept: str
    hub: str


@dataclass(frozen=True)
class Hubs:
    """The labels of one language, in the order of `labels`, and what was computed from them.

    n labels of c concepts in k hubs.
    """

    labels: Sequence[Label]
    keys: Sequence[str]
    """(k) the hubs."""
    concepts: Sequence[str]
    """(c) the concepts that bear labels, those of a hub side by side."""
    hub: NDArray[np.int64]
    """(c) position of a concept's hub in `keys`, ascending."""
    first: NDArray[np.int64]
    """(c) position of a concept's first label."""
    raw: NDArray[np.float16]
    """(n, d) as the model gave them."""
    mean: Vectors
    bend: Vectors
    """(d, d): a vector v lies at unit((v - mean) @ bend)."""
    vectors: Vectors
    """(n, d) the labels, bent."""
    centres: Vectors
    """(k, d) unit means of the hubs' bent labels."""
    profiles: Vectors
    """(k, PROFILE) the skills that ESCO wants in the hub's occupations; length 1, or 0 where none are known."""

    def place(self, vectors: Vectors) -> Vectors:
        """Vectors of the model, bent: (m, d) of length 1."""
        return unit((vectors - self.mean) @ self.bend)

    def evidence(self, bent: Vectors) -> tuple[Vectors, Vectors]:
        """How near bent vectors are to hubs (m, k) and to concepts (m, c).

        Each is the mean of two cosines: with the nearest label of the concept (or in the hub), and with the hub's
        centre. The first knows the word, the second does not fall for a stray one.
        """
        nearest = np.maximum.reduceat(bent @ self.vectors.T, self.first, axis=1)
        centre = bent @ self.centres.T
        of_hubs = np.maximum.reduceat(nearest, _starts(self.hub, len(self.keys)), axis=1)
        return (of_hubs + centre) / 2, (nearest + centre[:, self.hub]) / 2


def _starts(owner: NDArray[np.int64], owners: int) -> NDArray[np.int64]:
    """Where each of the owners begins in an ascending list of owners."""
    return np.searchsorted(owner, np.arange(owners)).astype(np.int64)


def unit(vectors: NDArray[np.floating[Any]]) -> Vectors:
    """Each row of length 1, as float32; a row of zeros stays."""
    scaled: Vectors = (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return scaled


def labels(taxonomy: Taxonomy, spoken: Language) -> list[Label]:
    """All labels of the language that name occupations, ordered by hub, concept and text; none twice in a hub."""
    found: dict[tuple[str, str], Label] = {}
    for concept in taxonomy.concepts.values():
        hub = _hub(concept, spoken)
        if hub is not None:
            for text in _texts(concept, spoken):
                found.setdefault((hub, text), Label(text, concept.key, hub))
    return sorted(found.values(), key=lambda label: (label.hub, label.concept, label.text))


def _texts(concept: Concept, spoken: Language) -> tuple[str, ...]:
    first = concept.labels.get(spoken)
    return ((first,) if first else ()) + tuple(concept.alternatives.get(spoken, ()))


def _hub(concept: Concept, spoken: Language) -> str | None:
    if concept.kind == "skill":
        return None
    scheme, _, code = concept.key.partition(":")
    if spoken == "en":
        return concept.key if scheme == "esco" and concept.kind == "occupation" else None
    if scheme == "isco-08":
        return concept.key if len(code) == UNIT_GROUP else None
    # An occupation of the Chinese classification has a single name: its minor group is the hub.
    return f"cn-2022:{code[:MINOR_GROUP]}" if scheme == "cn-2022" and len(code) >= MINOR_GROUP else None


def build(taxonomy: Taxonomy, named: Sequence[Label], raw: NDArray[np.float16], hidden: Collection[str] = ()) -> Hubs:
    """Everything that is computed. `hidden`: hubs that are left out, for measuring what others know of them."""
    kept = [position for position, label in enumerate(named) if label.hub not in hidden]
    named, raw = [named[position] for position in kept], raw[kept]
    keys = sorted({label.hub for label in named})
    exact = raw.astype(np.float32)
    mean, bend = bending(exact, np.array([bisect_left(keys, label.hub) for label in named]))
    vectors = unit((exact - mean) @ bend)
    return _assemble(named, raw, vectors, (mean, bend, _profiles(taxonomy, keys, hidden)))


def _assemble(
    named: Sequence[Label],
    raw: NDArray[np.float16],
    vectors: Vectors,
    computed: tuple[Vectors, Vectors, Vectors],
) -> Hubs:
    starts = [at for at, label in enumerate(named) if at == 0 or label.concept != named[at - 1].concept]
    concepts = [named[at].concept for at in starts]
    keys = list(dict.fromkeys(named[at].hub for at in starts))
    position = {key: number for number, key in enumerate(keys)}
    hub, first = np.array([position[named[at].hub] for at in starts]), np.array(starts)
    centres = unit(np.add.reduceat(vectors, first[_starts(hub, len(keys))], axis=0))
    return Hubs(named, keys, concepts, hub, first, raw, *computed[:2], vectors, centres, computed[2])


def bending(raw: Vectors, hub: NDArray[np.int64]) -> tuple[Vectors, Vectors]:
    """Half of within-class whitening, (S_w)^(-1/4) with the covariance S_w within hubs shrunk to its trace.

    Directions in which names of one occupation differ are pressed together, so what is left tells occupations
    apart (Hatch, Kajarekar, Stolcke 2006, within-class covariance normalization, there with the power -1/2).
    """
    mean = raw.mean(axis=0)
    counts = np.bincount(hub)
    inside = raw - (np.add.reduceat(raw, _starts(hub, len(counts)), axis=0) / counts[:, None])[hub]
    within = (inside.T @ inside / max(1, len(raw) - len(counts))).astype(np.float64)
    size = len(within)
    if not np.trace(within):
        # No hub has two labels: nothing is known of what differs within one.
        return mean, np.eye(size, dtype=np.float32)
    within = (1 - SHRINKAGE) * within + SHRINKAGE * np.trace(within) / size * np.eye(size)
    values, axes = np.linalg.eigh(within)
    # The factor gives no direction a weight of its own: places are scaled to length 1 later.
    return mean, ((axes * values**-0.25) @ axes.T).astype(np.float32)


def _profiles(taxonomy: Taxonomy, keys: Sequence[str], hidden: Collection[str]) -> Vectors:
    """(k, PROFILE): hubs by the skills that they share, rare ones counting more.

    An occupation's skills (essential 1, optional 1/2, by inverse document frequency) are a row of length 1; the
    rows' leading axes (from the eigenvectors of their products) are kept. A group has its occupations' mean.
    """
    occupations = [concept.key for concept in taxonomy.occupations if concept.key not in hidden]
    rows = skill_rows(taxonomy, occupations)
    if not rows.size:
        return np.zeros((len(keys), PROFILE), np.float32)
    placed = _leading_axes(rows @ rows.T)
    own = dict(zip(occupations, placed, strict=True))
    members: dict[str, list[Vectors]] = {}
    for key, row in own.items():
        for group in taxonomy.concepts[key].groups:
            members.setdefault(group, []).append(row)
    means = {group: np.mean(rows, axis=0, dtype=np.float32) for group, rows in members.items()} | own
    nothing = np.zeros(PROFILE, np.float32)

    def profile(key: str) -> Vectors:
        if key in means:
            known: Vectors = means[key]
            return known
        tied = [means[group] for group in taxonomy.concepts[key].groups if group in means]
        mean: Vectors = np.mean(tied or [nothing], axis=0, dtype=np.float32)
        return mean

    return unit(np.stack([profile(key) for key in keys]).astype(np.float32))


def _leading_axes(products: Vectors) -> Vectors:
    """(n, PROFILE): points whose products are nearly those given (n, n), with the leading eigenvectors.

    By subspace iteration from a seeded start: all 3,000 eigenvectors take ten times as long, and are not wanted.
    """
    size = len(products)
    axes = np.random.default_rng(0).standard_normal((size, min(size, PROFILE + 64))).astype(np.float32)
    for _ in range(ROUNDS):
        axes = np.linalg.qr(products @ axes)[0]
    values, turned = np.linalg.eigh(axes.T @ products @ axes)
    leading = (axes @ turned * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, :PROFILE]
    placed: Vectors = np.pad(leading, ((0, 0), (0, PROFILE - leading.shape[1]))).astype(np.float32)
    return placed


def skill_rows(taxonomy: Taxonomy, occupations: Sequence[str]) -> Vectors:
    """(occupations, skills that any of them wants): see `_profiles`; no columns without relations."""
    wanted = [(taxonomy.essential(key), taxonomy.optional(key)) for key in occupations]
    skills = sorted({skill for pair in wanted for part in pair for skill in part})
    column = {skill: number for number, skill in enumerate(skills)}
    rows: Vectors = np.zeros((len(occupations), len(skills)), np.float32)
    for row, pair in zip(rows, wanted, strict=True):
        for part, weight in zip(pair, (1.0, 0.5), strict=True):
            row[[column[skill] for skill in part]] = weight
    rows *= np.log(len(occupations) / np.maximum(1, np.count_nonzero(rows, axis=0))).astype(np.float32)
    return unit(rows)


def hubs_file(taxonomy_file: Path, encoder: str) -> Path:
    """Beside the taxonomy's file, named after it and the models."""
    stem = taxonomy_file.name.partition(".")[0]
    return taxonomy_file.with_name(f"{stem}.labels-{encoder.rpartition('.')[2]}-{FORMAT}.npz")


def ensure_hubs(taxonomy_file: Path, taxonomy: Taxonomy, encoder: Encoder, say: Callable[[str], None]) -> Path:
    """The file of the labels' vectors, computed if it is not there or of another taxonomy."""
    path = hubs_file(taxonomy_file, encoder.version)
    if not path.exists() or load_hubs(path, taxonomy) is None:
        say(f"computing what the taxonomy's labels mean into {path.name} (once, about a minute)")
        arrays: dict[str, NDArray[np.generic]] = {"version": np.array(taxonomy.version)}
        for spoken in ("zh", "en"):
            named = labels(taxonomy, spoken)
            if named:
                raw = encoder.encode([label.text for label in named], spoken).astype(np.float16)
                built = build(taxonomy, named, raw)
                arrays |= {f"{spoken}_mean": built.mean, f"{spoken}_bend": built.bend, f"{spoken}_raw": raw}
                arrays[f"{spoken}_vectors"] = built.vectors.astype(np.float16)
                arrays[f"{spoken}_profiles"] = built.profiles.astype(np.float16)
        part = path.with_suffix(".part.npz")
        np.savez(part, allow_pickle=False, **arrays)
        part.replace(path)
    return path


def load_hubs(path: Path, taxonomy: Taxonomy) -> dict[Language, Hubs] | None:
    """What `ensure_hubs` kept, or None if it was computed for another taxonomy."""
    with np.load(path, allow_pickle=False) as stored:
        if str(stored["version"]) != taxonomy.version:
            return None
        found: dict[Language, Hubs] = {}
        for spoken in ("zh", "en"):
            if f"{spoken}_raw" in stored:
                named = labels(taxonomy, spoken)
                vectors, mean, bend, profiles = (
                    stored[f"{spoken}_{name}"].astype(np.float32) for name in ("vectors", "mean", "bend", "profiles")
                )
                found[spoken] = _assemble(named, stored[f"{spoken}_raw"], vectors, (mean, bend, profiles))
    return found
