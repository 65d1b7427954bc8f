"""What a made-up seeker says in words: Chinese or English, with an everyday name of the trade and of some skills."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Final

from shared.linking.linker import linker
from shared.linking.reading import Ad as Words
from shared.settings import ServiceSettings
from shared.taxonomy import Taxonomy, load, place

LANGUAGES: Final = ("zh", "en")
MONTHS: Final = 12
UNIT: Final = 4
"""Digits of an ISCO-08 unit group."""
MOST_SKILLS: Final = 6


class Sayings:
    """Puts trades and skills into words. Raises FileNotFoundError without a taxonomy."""

    def __init__(self) -> None:
        settings = ServiceSettings(keys_dir=Path(os.devnull))
        file = place(settings.taxonomy_file, settings.taxonomy_dir)
        self._taxonomy: Taxonomy = load(file)
        self._linker = linker(self._taxonomy, file, settings.models_dir)
        self._units: dict[str, list[str]] = defaultdict(list)
        for key, concept in self._taxonomy.concepts.items():
            if concept.scheme == "isco-08" and len(concept.code) == UNIT:
                self._units[concept.code[:3]].append(key)

    def skills(self, ad: Mapping[str, object]) -> tuple[str, ...]:
        """Keys of the skills that an ad's words name."""
        text = ad.get("description")
        body = text.get("text") if isinstance(text, dict) else None
        title = (("sv", str(ad.get("headline") or "")),)
        (found,) = self._linker.ads([Words(title, (("sv", str(body or "")),), wants_occupation=False)])
        return tuple(skill.key for skill in (*found.required, *found.preferred))

    def words(self, group: str, skills: Iterable[str], months: int | None, dice: Random) -> str:
        """In the manner of "焊工，3年经验，会看图纸". `group`: of SSYK 2012, empty if unknown; `skills`: their keys."""
        language = dice.choice(LANGUAGES)
        parts = [trade] if (trade := self._trade(group, language, dice)) else []
        if months and months >= MONTHS:
            years = months // MONTHS
            parts.append(f"{years}年经验" if language == "zh" else f"{years} years of experience")
        named = [label for key in skills if (label := self._taxonomy.concepts[key].labels.get(language))]
        parts += named[:MOST_SKILLS]
        return ("，" if language == "zh" else ", ").join(parts)

    def _trade(self, group: str, language: str, dice: Random) -> str | None:
        """An everyday title, or the group's own name, of a unit group that shares the minor group."""
        for code in self._taxonomy.isco("ssyk-2012", group):
            units = [key for key in self._units[code[:3]] if key.endswith(group)] or self._units[code[:3]]
            if units:
                concept = self._taxonomy.concepts[dice.choice(units)]
                return dice.choice((concept.labels[language], *concept.alternatives.get(language, ())))
        return None
