"""Measures of ranked lists with binary judgements, and how sure a difference between two methods is."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Figures = NDArray[np.float64]

MEASURES: Final = ("map", "ndcg10", "r20", "mrr")
RESAMPLES: Final = 2_000
SEED: Final = 20_261_124


def measure(scores: NDArray[np.floating], relevant: Sequence[Collection[int]]) -> dict[str, Figures]:
    """One figure a query: average precision over the whole ranking, nDCG at 10, recall at 20, reciprocal rank.

    `scores` (queries, corpus), higher is better, ties in the corpus's order; `relevant`: positions, at least one
    a query. As trec_eval computes `map`, `ndcg_cut_10`, `recall_20` and `recip_rank`.
    """
    figures: dict[str, list[float]] = {name: [] for name in MEASURES}
    for row, wanted in zip(scores, relevant, strict=True):
        order = np.argsort(-row, kind="stable")
        ranks = np.flatnonzero(np.isin(order, list(wanted))) + 1
        discounts = 1 / np.log2(np.arange(2, 12))
        figures["map"].append(float(np.mean(np.arange(1, len(ranks) + 1) / ranks)))
        figures["ndcg10"].append(float(discounts[ranks[ranks <= 10] - 1].sum() / discounts[: len(ranks)].sum()))
        figures["r20"].append(float((ranks <= 20).sum() / len(ranks)))
        figures["mrr"].append(float(1 / ranks[0]))
    return {name: np.array(values) for name, values in figures.items()}


def interval(values: Figures) -> tuple[float, float]:
    """Of the mean: the middle 95 % of the means of resampled queries (percentile bootstrap, seeded)."""
    drawn = np.random.default_rng(SEED).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def agreement(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Of two readings of the same things, a pair each: the share that is alike, and Cohen's kappa (1960)."""
    alike = sum(first == second for first, second in pairs) / len(pairs)
    sides = [Counter(reading) for reading in zip(*pairs, strict=True)]
    chance = sum(sides[0][word] * sides[1][word] for word in sides[0]) / len(pairs) ** 2
    return {"alike": round(alike, 3), "kappa": round((alike - chance) / (1 - chance), 3)}
