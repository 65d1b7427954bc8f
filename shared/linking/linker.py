"""Words to concepts: skills by the labels that a text uses, an occupation by its title."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from shared.contracts.common import Code
from shared.linking.reading import Ad, Found
from shared.linking.skills import load as load_skills
from shared.taxonomy import load as load_taxonomy
from shared.taxonomy import place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shared.settings import ServiceSettings
    from shared.taxonomy import Taxonomy

log = structlog.get_logger()


class Linker:
    """Reads postings' and seekers' words."""

    def __init__(self, taxonomy: Taxonomy, folder: Path | None = None) -> None:
        """`folder` keeps what is worked out of the taxonomy's labels; without it that takes seconds each time."""
        self._taxonomy = taxonomy
        self._skills = load_skills(taxonomy, folder)
        self.version = self._skills.version

    def ads(self, ads: Sequence[Ad]) -> list[Found]:
        """What each posting's words name."""
        return [self._ad(ad) for ad in ads]

    def seekers(self, texts: Sequence[str]) -> list[Found]:
        """What each seeker's words name."""
        return [self._seeker(text) for text in texts]

    def _ad(self, ad: Ad) -> Found:
        required: dict[str, float] = {}
        preferred: dict[str, float] = {}
        titles, texts = dict(ad.title), dict(ad.description)
        # the same posting in several languages: what one of them names, it asks for
        for language in sorted({*titles, *texts}):
            for skill in self._skills.posting(titles.get(language, ""), texts.get(language, "")):
                of = required if skill.required else preferred
                of[skill.key] = max(skill.confidence, of.get(skill.key, 0.0))
        return Found(
            required=self._codes(required),
            preferred=self._codes({key: sure for key, sure in preferred.items() if key not in required}),
        )

    def _seeker(self, text: str) -> Found:
        read = self._skills.seeker(text)
        return Found(
            occupations=self._codes({wanted.key: wanted.confidence for wanted in read.occupations}),
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


def load(settings: ServiceSettings) -> Linker | Nothing:
    """What this machine can read words with. Takes seconds."""
    file = place(settings.taxonomy_file, settings.taxonomy_dir)
    try:
        return Linker(load_taxonomy(file), file.parent)
    except FileNotFoundError as error:
        log.warning("no taxonomy: titles and texts are not read", reason=str(error))
        return Nothing()
