"""100 Chinese ad titles to ESCO's occupations: tests/data/zh_titles/README.md."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.linking.expected import esco_occupations
from shared.linking.titles import Titles
from shared.settings import ROOT
from shared.taxonomy import Taxonomy
from tests.eval.sets import judgements

FOLDER = ROOT / "tests" / "data" / "zh_titles"


class Occupations(NamedTuple):
    """What is ranked."""

    keys: Sequence[str]
    labels: Sequence[str]


Judged = list[frozenset[int]]


def chinese_set(taxonomy: Taxonomy) -> tuple[list[str], Occupations, Judged, Judged]:
    """The titles, ESCO's occupations, and of each title the positions that fit by the first and second reading."""
    keys = [one.key for one in taxonomy.occupations]
    positions = {key: number for number, key in enumerate(keys)}
    lines = (FOLDER / "queries.tsv").read_text("utf-8").splitlines()[1:]
    queries = dict(line.split("\t")[:2] for line in lines)
    first, second = (
        [frozenset(positions[f"esco:{one}"] for one in judged[query]) for query in queries]
        for judged in (judgements(FOLDER, "qrels"), judgements(FOLDER, "qrels_second_reading"))
    )
    occupations = Occupations(keys, [one.labels["en"] for one in taxonomy.occupations])
    return list(queries.values()), occupations, first, second


def to_occupations(
    taxonomy: Taxonomy, titles: Titles, queries: Sequence[str], keys: Sequence[str]
) -> NDArray[np.float32]:
    """(queries, occupations): our confidence."""
    position = {key: number for number, key in enumerate(keys)}
    scores = np.zeros((len(queries), len(keys)), np.float32)
    for row, found in zip(scores, esco_occupations(taxonomy, titles, queries, len(keys)), strict=True):
        for one in found:
            row[position[one.key]] = one.confidence
    return scores


def agreement(first: Judged, second: Judged) -> dict[str, float]:
    """Of the two readings: Jaccard over all pairs, and the share of titles that were judged identically."""
    pairs = list(zip(first, second, strict=True))
    both, either = sum(len(one & other) for one, other in pairs), sum(len(one | other) for one, other in pairs)
    same = sum(one == other for one, other in pairs) / len(pairs)
    return {"jaccard": round(both / either, 3), "judged_identically": round(same, 3)}
