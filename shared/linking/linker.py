"""Words to concepts: skills by the labels that a text uses, an occupation by its title."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

import structlog

from shared.contracts.common import Code
from shared.linking.reading import Ad, Found
from shared.linking.skills import load as load_skills
from shared.linking.titles import LANGUAGES, open_titles
from shared.taxonomy import load as load_taxonomy
from shared.taxonomy import place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from shared.linking.skills import Linker as Skills
    from shared.linking.titles import Found as Occupation
    from shared.linking.titles import Titles
    from shared.settings import ServiceSettings
    from shared.taxonomy import Taxonomy

VERSION: Final = "linker-1"
"""Of the rules here; those for skills, titles and meaning have their own, and all are in what a linker says."""
LEAST_SURE: Final = 0.5
"""Of an occupation: below this the first find is wrong more often than right (`shared.linking.titles.Found`)."""
MOST_WANTED: Final = 2
"""Occupations that a seeker's first words are taken for, when they are no label."""
_LONGEST_TITLE: Final = 80
_CLAUSE: Final = re.compile(r"[,;.!?\n，；。、！？]")

log = structlog.get_logger()


class Linker:
    """Reads postings' and seekers' words. May be used from several threads."""

    def __init__(self, taxonomy: Taxonomy, skills: Skills, titles: Titles) -> None:
        self._taxonomy = taxonomy
        self._skills = skills
        self._titles = titles
        self.version = f"{VERSION}+{skills.rules}+{titles.version}"

    def ads(self, ads: Sequence[Ad]) -> list[Found]:
        """What each posting's words name: skills, and an occupation where the source named none."""
        titles = {
            text: None for ad in ads if ad.wants_occupation for language, text in ad.title if language in LANGUAGES
        }
        wanted = dict(zip(titles, self._titles.occupations(list(titles), limit=1), strict=True))
        return [self._ad(ad, wanted) for ad in ads]

    def seekers(self, texts: Sequence[str]) -> list[Found]:
        """What each seeker's words name: skills, and the occupations wanted."""
        return [self._seeker(text) for text in texts]

    def _ad(self, ad: Ad, wanted: Mapping[str, Sequence[Occupation]]) -> Found:
        occupations = {
            found.key: found.confidence
            for language, text in ad.title
            if ad.wants_occupation and language in LANGUAGES
            for found in wanted[text]
            if found.confidence >= LEAST_SURE
        }
        required: dict[str, float] = {}
        preferred: dict[str, float] = {}
        titles, texts = dict(ad.title), dict(ad.description)
        # the same posting in several languages: what one of them names, it asks for
        for language in sorted({*titles, *texts}):
            for skill in self._skills.posting(titles.get(language, ""), texts.get(language, "")):
                of = required if skill.required else preferred
                of[skill.key] = max(skill.confidence, of.get(skill.key, 0.0))
        return Found(
            occupations=self._codes(occupations),
            required=self._codes(required),
            preferred=self._codes({key: sure for key, sure in preferred.items() if key not in required}),
        )

    def _seeker(self, text: str) -> Found:
        read = self._skills.seeker(text)
        occupations = {wanted.key: wanted.confidence for wanted in read.occupations}
        if not occupations and text:
            # no label word by word: what the first words mean, if they mean an occupation well enough
            clause = _CLAUSE.split(text.strip(), maxsplit=1)[0][:_LONGEST_TITLE]
            found = self._titles.occupations([clause], limit=MOST_WANTED)[0]
            occupations = {one.key: one.confidence for one in found if one.confidence >= LEAST_SURE}
        return Found(
            occupations=self._codes(occupations),
            required=self._codes({skill.key: skill.confidence for skill in read.skills}),
        )

    def _codes(self, found: dict[str, float]) -> tuple[Code, ...]:
        """The surest first."""
        keys = sorted(found, key=lambda key: (-found[key], key))
        return tuple(self._taxonomy.code(key).model_copy(update={"confidence": round(found[key], 2)}) for key in keys)


class Nothing:
    """Reads nothing: there is no taxonomy."""

    version = "nothing"

    def ads(self, ads: Sequence[Ad]) -> list[Found]:
        """Nothing."""
        return [Found()] * len(ads)

    def seekers(self, texts: Sequence[str]) -> list[Found]:
        """Nothing."""
        return [Found()] * len(texts)


def linker(taxonomy: Taxonomy, file: Path, models: Path | None = None) -> Linker:
    """For a taxonomy and the file that it was loaded from, beside which lies what was worked out of it."""
    return Linker(
        taxonomy, load_skills(taxonomy, file.parent), open_titles(file, taxonomy, models, threads=os.cpu_count() or 1)
    )


def load(settings: ServiceSettings) -> Linker | Nothing:
    """What this machine can read words with. Takes seconds."""
    file = place(settings.taxonomy_file, settings.taxonomy_dir)
    try:
        return linker(load_taxonomy(file), file, settings.models_dir)
    except FileNotFoundError as error:
        log.warning("no taxonomy: titles and texts are not read", reason=str(error))
        return Nothing()
