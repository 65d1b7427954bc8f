"""Job titles: which occupations they name, and how near two of them are.

titles = open_titles(taxonomy_file, taxonomy)
titles.occupations(["forklift operator, night shift"])[0][0].key
titles.closeness(["焊工"], ["电焊工", "会计"])

What is right is known by the taxonomy, what words mean by the models: a title stands where its vector lies, drawn
towards the occupations whose labels are near. Without the models, labels and characters have to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import structlog
from numpy.typing import NDArray

from shared.linking.hubs import Hubs, hubs_file, labels, load_hubs, unit
from shared.linking.meaning import Encoder, Language, Vectors, have_models, language, models_folder
from shared.linking.wording import Characters, Labels, bare, plain
from shared.taxonomy import Taxonomy

VERSION: Final = "2"
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")

NEAREST: Final = 20
"""Hubs that a title is drawn to, by the softmax of their evidence over `WARMTH`."""
WARMTH: Final = 0.1
DRAWN: Final = 0.5
"""How far towards them, in lengths of the title's own vector."""
SKILLS: Final = 0.5
"""What the cosine of the occupations' skills counts beside that of the vectors."""
CHARACTERS: Final = 0.3
"""What the characters that two Chinese titles share count beside it: 工 and 员 say what the small model misses. In
English they add nothing."""

SAME: Final = 1.0
"""Confidence where the title is a label; an inner label has a part of it by its share of the title."""
SURE: Final = 0.9
"""The most that evidence alone is worth."""
_CHUNK: Final = 256

_log = structlog.get_logger(__name__)


class Found(NamedTuple):
    """An occupation that a title names."""

    key: str
    """English: an ESCO occupation. Chinese: a unit group of ISCO-08 or a concept of cn-2022."""
    confidence: float
    """0 to 1, and rising with how often a find is right. First finds on en_melo (633 titles): 0.4 to 0.6 right in
    38 %, 0.6 to 0.8 in 64 %, above in 79 %. For Chinese ads it is modest: their group was right in 86 % at 0.5."""


class Ranked(NamedTuple):
    """A title of a corpus, by its position there."""

    position: int
    closeness: float
    """At most 1."""


class Titles:
    """Made by `open_titles`; may be used from several threads."""

    def __init__(self, taxonomy: Taxonomy, encoder: Encoder | None, hubs: Mapping[Language, Hubs]) -> None:
        """Without an encoder, `hubs` is not looked at."""
        self._taxonomy = taxonomy
        self._encoder = encoder
        self._hubs = hubs if encoder is not None else {}
        self._named = {
            spoken: self._hubs[spoken].labels if spoken in self._hubs else labels(taxonomy, spoken)
            for spoken in LANGUAGES
        }
        self._labels: dict[Language, Labels] = {}
        self._rows: dict[Language, dict[str, int]] = {}
        for spoken, named in self._named.items():
            bearers: dict[str, list[str]] = {}
            for label in named:
                bearers.setdefault(label.text, []).append(label.concept)
            self._labels[spoken] = Labels(bearers)
            if spoken in self._hubs:
                self._rows[spoken] = {label.text: at for at, label in enumerate(self._hubs[spoken].labels)}
        meaning = encoder.version if encoder is not None and hubs else "words-only"
        self.version: str = f"titles-{VERSION}+{meaning}+{taxonomy.version}"
        """Equal only if the same titles get the same answers."""

    def occupations(self, titles: Sequence[str], limit: int = 10) -> list[list[Found]]:
        """For each title its occupations, the most certain first; ties by key. Empty where nothing is near."""
        found: list[dict[str, float]] = [{} for _ in titles]
        for spoken, at in _by_language(titles).items():
            for position in at:
                self._look_up(titles[position], spoken, found[position])
            if spoken in self._hubs:
                hubs = self._hubs[spoken]
                for start in range(0, len(at), _CHUNK):
                    some = at[start : start + _CHUNK]
                    bent = hubs.place(self.vectors([bare(titles[position]) for position in some], spoken))
                    for position, evidence in zip(some, hubs.evidence(bent)[1], strict=True):
                        best = _largest(evidence, 2 * limit)
                        for number in best.tolist():
                            key, sure = hubs.concepts[number], _confidence(float(evidence[number]))
                            # What both say is surer than what one says.
                            known = found[position].get(key, 0.0)
                            found[position][key] = known + (1 - known) * sure * (0.5 if known else 1.0)
        ordered = (sorted(one.items(), key=lambda item: (-item[1], item[0])) for one in found)
        return [[Found(key, round(sure, 3)) for key, sure in one[:limit] if sure > 0] for one in ordered]

    def rank(self, query: str, corpus: Sequence[str], spoken: Language | None = None) -> list[Ranked]:
        """The corpus in the order of closeness to the query, ties in their order."""
        row = self.closeness([query], corpus, spoken)[0]
        return [Ranked(at, float(row[at])) for at in np.argsort(-row, kind="stable").tolist()]

    def closeness(self, queries: Sequence[str], corpus: Sequence[str], spoken: Language | None = None) -> Vectors:
        """(queries, corpus), at most 1: the cosines of places, of skills, and in Chinese of characters, weighted.

        `spoken` says that all is in one language, else each title is asked for its own.
        Titles of different languages share no space: between them only the skills of their occupations count.
        """
        if not self._hubs:
            return self._characters.closeness(queries, corpus)
        asking, asked = _by_language(queries, spoken), _by_language(corpus, spoken)
        near = np.zeros((len(queries), len(corpus)), np.float32)
        theirs = {at_home: self._places([queries[n] for n in at], at_home) for at_home, at in asking.items()}
        for at_home, columns in asked.items():
            places, profiles = self._places([corpus[n] for n in columns], at_home)
            for other, rows in asking.items():
                part = SKILLS * (theirs[other][1] @ profiles.T)
                most = 1 + SKILLS
                if other == at_home:
                    part += theirs[other][0] @ places.T
                if other == at_home == "zh":
                    asks, stands = ([bare(texts[n]) for n in at] for texts, at in ((queries, rows), (corpus, columns)))
                    part += CHARACTERS * self._characters.closeness(asks, stands)
                    most += CHARACTERS
                near[np.ix_(rows, columns)] = part / most
        return near

    def vectors(self, texts: Sequence[str], spoken: Language) -> Vectors:
        """Of the model; labels have theirs already. Only with models."""
        rows = self._rows[spoken]
        new = [text for text in texts if text not in rows]
        fresh = iter(self.encoder.encode(new, spoken))
        raw = self._hubs[spoken].raw
        known = (raw[rows[text]].astype(np.float32) if text in rows else next(fresh) for text in texts)
        return np.stack(list(known)) if texts else np.zeros((0, raw.shape[1]), np.float32)

    def hubs(self, spoken: Language) -> Hubs:
        """What titles of the language are held against. Only with models."""
        return self._hubs[spoken]

    def shares(self, titles: Sequence[str], spoken: Language) -> Vectors:
        """(titles, hubs): how far each hub draws each title, of 1 together. Only with models."""
        hubs = self._hubs[spoken]
        parts = [
            _shares(hubs.evidence(hubs.place(self.vectors([bare(title) for title in some], spoken)))[0])
            for some in (titles[start : start + _CHUNK] for start in range(0, len(titles), _CHUNK))
        ]
        return np.concatenate(parts) if parts else np.zeros((0, len(hubs.keys)), np.float32)

    def skill_closeness(self, title: str, occupations: Sequence[str]) -> list[float]:
        """How near the skills of ESCO's occupations are to those that the title lets expect; 0 without models."""
        if "en" not in self._hubs:
            return [0.0] * len(occupations)
        mine = self._places([title], language(title))[1][0]
        hubs = self._hubs["en"]
        rows = [self._positions[key] for key in occupations]
        return [float(near) for near in hubs.profiles[rows] @ mine]

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        return {key: number for number, key in enumerate(self._hubs["en"].keys)}

    @property
    def encoder(self) -> Encoder:
        """The models. Raises RuntimeError without them."""
        if self._encoder is None:
            raise RuntimeError("no sentence models")
        return self._encoder

    def _places(self, titles: Sequence[str], spoken: Language) -> tuple[Vectors, Vectors]:
        """Places (titles, d) and profiles of skills (titles, PROFILE), each row of length 1 or 0."""
        hubs = self._hubs[spoken]
        places, profiles = [], []
        for start in range(0, len(titles), _CHUNK):
            bent = hubs.place(self.vectors([bare(title) for title in titles[start : start + _CHUNK]], spoken))
            shares = _shares(hubs.evidence(bent)[0])
            places.append(unit(bent + np.float32(DRAWN) * unit(shares @ hubs.centres)))
            profiles.append(unit(shares @ hubs.profiles))
        return np.concatenate(places), np.concatenate(profiles)

    def _look_up(self, title: str, spoken: Language, found: dict[str, float]) -> None:
        known = self._labels[spoken]
        same = known.same(title) or known.same(bare(title))
        for key in same:
            first = plain(self._taxonomy.concepts[key].labels[spoken])
            found[key] = SAME if first in (plain(title), plain(bare(title))) else SURE / len(same) ** 0.5
        if not same:
            for share, keys in known.inside(bare(title)):
                for key in keys:
                    # One of several bearers is less certain.
                    found[key] = max(found.get(key, 0.0), SURE * share / len(keys) ** 0.5)

    @cached_property
    def _characters(self) -> Characters:
        return Characters([label.text for named in self._named.values() for label in named])


def open_titles(taxonomy_file: Path, taxonomy: Taxonomy, models: Path | None = None, threads: int = 1) -> Titles:
    """With the models (MODELS_DIR, or where set-up puts them) if they and the labels' vectors are there.

    Says in one line of the log when they are not; the version says it too.
    """
    folder = models_folder(models)
    if not have_models(folder):
        _log.warning("titles are linked by their words alone: no sentence models", folder=str(folder))
        return Titles(taxonomy, None, {})
    encoder = Encoder(folder, threads)
    path = hubs_file(taxonomy_file, encoder.version)
    hubs = load_hubs(path, taxonomy) if path.exists() else None
    if not hubs:
        _log.warning("titles are linked by their words alone: no vectors of the labels", file=str(path))
        return Titles(taxonomy, None, {})
    return Titles(taxonomy, encoder, hubs)


def _by_language(titles: Sequence[str], spoken: Language | None = None) -> dict[Language, list[int]]:
    found: dict[Language, list[int]] = {}
    for position, title in enumerate(titles):
        found.setdefault(spoken or language(title), []).append(position)
    return found


def _shares(evidence: Vectors) -> Vectors:
    """Softmax over the `NEAREST` of each row, zero elsewhere."""
    nearest = min(NEAREST, evidence.shape[1])
    at = np.argpartition(-evidence, nearest - 1, axis=1)[:, :nearest]
    best = np.take_along_axis(evidence, at, axis=1)
    weights = np.exp((best - best.max(axis=1, keepdims=True)) / WARMTH)
    shares = np.zeros_like(evidence)
    np.put_along_axis(shares, at, weights / weights.sum(axis=1, keepdims=True), axis=1)
    return shares


def _largest(values: Vectors, count: int) -> NDArray[np.intp]:
    """The positions of the largest, in no order."""
    return np.argpartition(-values, count)[:count] if count < len(values) else np.arange(len(values))


def _confidence(evidence: float) -> float:
    """A straight line from the cosine of strangers to that of near synonyms."""
    return SURE * min(1.0, max(0.0, (evidence - 0.3) / 0.5))
