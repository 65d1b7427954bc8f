"""What a made-up seeker says in words: Chinese or English, with an everyday name of the trade and of some skills."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from shared.linking.linker import linker
from shared.linking.reading import Ad as Words
from shared.linking.reading import Found
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

    def skills(self, language: str, title: str, text: str) -> tuple[str, ...]:
        """Keys of the skills that an ad's words name."""
        words = Words(((language, title),), ((language, text),), wants_occupation=False)
        return _skills(*self._linker.ads([words]))

    def read(self, ads: Sequence[tuple[str, str]]) -> list[tuple[list[str], tuple[str, ...]]]:
        """Of each English title and text: unit groups of the surest occupation, and keys of the skills."""
        found = self._linker.ads(
            [Words((("en", title),), (("en", text),), wants_occupation=True) for title, text in ads]
        )
        return [
            (self.units(*one.occupations[0].key.split(":", 1)) if one.occupations else [], _skills(one))
            for one in found
        ]

    def units(self, scheme: str, code: str) -> list[str]:
        """Keys of the unit groups that share a minor group with an occupation: its own alone, if it is among them."""
        for tie in self._taxonomy.isco(scheme, code):
            own = tie if len(tie) == UNIT else code
            if units := self._units[tie[:3]]:
                return [key for key in units if key.endswith(own)] or units
        return []

    def words(self, units: Sequence[str], skills: Iterable[str], months: int | None, dice: Random) -> str:
        """In the manner of "焊工，3年经验，会看图纸". `units`: keys of unit groups of which one is wanted."""
        language = dice.choice(LANGUAGES)
        parts = [self._trade(dice.choice(units), language, dice)] if units else []
        if months and months >= MONTHS:
            years = months // MONTHS
            parts.append(f"{years}年经验" if language == "zh" else f"{years} years of experience")
        named = [label for key in skills if (label := self._taxonomy.concepts[key].labels.get(language))]
        parts += named[:MOST_SKILLS]
        return ("，" if language == "zh" else ", ").join(parts)

    def _trade(self, unit: str, language: str, dice: Random) -> str:
        """An everyday title, or the group's own name."""
        concept = self._taxonomy.concepts[unit]
        return dice.choice((concept.labels[language], *concept.alternatives.get(language, ())))


def _skills(found: Found) -> tuple[str, ...]:
    return tuple(skill.key for skill in (*found.required, *found.preferred))
