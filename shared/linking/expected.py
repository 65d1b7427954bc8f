"""What a title lets expect: the skills that the occupations near it want."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from shared.linking.meaning import Vectors
from shared.linking.titles import Found, Titles
from shared.taxonomy import Taxonomy

GROUPS: Final = 0.5
"""What the whole unit group counts beside the occupations that are near."""


class Expectations:
    """Skills by title: those that the nearest occupations want. Only with models and ESCO's relations."""

    def __init__(self, taxonomy: Taxonomy, titles: Titles) -> None:
        self._titles = titles
        # An English hub is an occupation.
        occupations = titles.hubs("en").keys
        pairs = [(taxonomy.essential(key), taxonomy.optional(key)) for key in occupations]
        self.skills: Sequence[str] = sorted({skill for pair in pairs for part in pair for skill in part})
        """Keys, in the order of the columns of `scores`."""
        column = {skill: number for number, skill in enumerate(self.skills)}
        self._wants = np.zeros((len(pairs), len(self.skills)), np.float32)
        for row, pair in zip(self._wants, pairs, strict=True):
            for part, weight in zip(pair, (1.0, 0.5), strict=True):
                row[[column[skill] for skill in part]] = weight
        groups = [taxonomy.isco("esco", key.partition(":")[2])[:1] for key in occupations]
        self._group = np.unique(np.array(["".join(group) for group in groups]), return_inverse=True)[1]

    def scores(self, titles: Sequence[str]) -> Vectors:
        """(titles, skills): about the share of the nearest occupations that want the skill; English titles."""
        shares = self._titles.shares(titles, "en")
        members = np.bincount(self._group)
        spread: Vectors = np.zeros((len(titles), len(members)), np.float32)
        for number, group in enumerate(self._group):
            spread[:, group] += shares[:, number] / members[group]
        mixed = (shares + GROUPS * spread[:, self._group]) / (1 + GROUPS)
        return self.of_occupations(mixed.astype(np.float32, copy=False))

    def of_occupations(self, shares: Vectors) -> Vectors:
        """(titles, skills) of shares (titles, occupations)."""
        scores: Vectors = shares @ self._wants
        return scores


def esco_occupations(taxonomy: Taxonomy, titles: Titles, texts: Sequence[str], limit: int = 10) -> list[list[Found]]:
    """For each title occupations of ESCO, also where the title is Chinese and ESCO is not.

    A Chinese title names groups of ISCO-08, or concepts of cn-2022 that our crosswalk ties to some. A group's
    confidence goes to its occupations; among them those come first whose skills are nearest to those of all
    groups that the title is drawn to: the general ones before the special. Ties by key.
    """
    named = titles.occupations(texts, 2 * limit)
    members: dict[str, list[str]] = {}
    for one in taxonomy.occupations:
        for group in taxonomy.isco("esco", one.code):
            members.setdefault(group, []).append(one.key)
    answers: list[list[Found]] = []
    for text, found in zip(texts, named, strict=True):
        sure: dict[str, float] = {}
        for key, confidence in found:
            scheme, _, code = key.partition(":")
            if scheme == "esco":
                sure[key] = max(sure.get(key, 0.0), confidence)
                continue
            for number, group in enumerate(taxonomy.isco(scheme, code)):
                for member in members.get(group, ()):
                    sure[member] = max(sure.get(member, 0.0), confidence / (number + 1))
        central = titles.skill_closeness(text, list(sure)) if sure else []
        ordered = sorted(zip(sure, central, strict=True), key=lambda pair: (-sure[pair[0]] - pair[1], pair[0]))
        answers.append([Found(key, round(sure[key] * (1 + near) / 2, 3)) for key, near in ordered[:limit]])
    return answers
