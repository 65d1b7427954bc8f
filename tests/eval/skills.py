"""Title to skills: 600 of ESCO's occupations are hidden, their titles ask, their skills are what fits."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.linking.expected import Expectations
from shared.linking.hubs import Hubs, build
from shared.linking.meaning import Encoder
from shared.linking.titles import Titles
from shared.taxonomy import Taxonomy

HIDDEN: Final = 600
SEED: Final = 5
NEIGHBOURS: Final = 20


def hide(taxonomy: Taxonomy) -> list[str]:
    """The occupations that are hidden: drawn from those with skills."""
    known = [one.key for one in taxonomy.occupations if taxonomy.essential(one.key)]
    drawn = np.random.default_rng(SEED).choice(len(known), HIDDEN, replace=False)
    return [known[number] for number in sorted(drawn.tolist())]


class SkillSet:
    """What asks, what fits, and the two methods' scores over the same skills."""

    def __init__(self, taxonomy: Taxonomy, encoder: Encoder, known: Hubs) -> None:
        self._hidden = hide(taxonomy)
        hubs = build(taxonomy, known.labels, known.raw, frozenset(self._hidden))
        self._titles = Titles(taxonomy, encoder, {"en": hubs})
        self._hubs = hubs
        self._expected = Expectations(taxonomy, self._titles)
        column = {skill: number for number, skill in enumerate(self._expected.skills)}
        self.queries = [taxonomy.concepts[key].labels["en"] for key in self._hidden]
        self.relevant = [
            frozenset(column[skill] for skill in (*taxonomy.essential(key), *taxonomy.optional(key)) if skill in column)
            for key in self._hidden
        ]

    def ours(self) -> NDArray[np.float32]:
        """(queries, skills)."""
        return self._expected.scores(self.queries)

    def nearest_titles(self) -> NDArray[np.float32]:
        """The baseline: the skills of the 20 occupations with the nearest label, by the bare model's cosine."""
        asked = self._titles.vectors(self.queries, "en")
        near = np.maximum.reduceat(asked @ self._hubs.raw.T.astype(np.float32), self._hubs.first, axis=1)
        cut = np.partition(near, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS][:, None]
        return self._expected.of_occupations(np.where(near >= cut, near, 0).astype(np.float32))
