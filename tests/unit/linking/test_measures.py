import numpy as np
import pytest

from tests.eval.measures import interval, measure
from tests.eval.sets import title_set


def test_measures_by_hand():
    # The fitting titles stand in the places 1 and 3 of 4.
    figures = measure(np.array([[0.9, 0.5, 0.4, 0.1]]), [frozenset({0, 2})])
    assert figures["map"][0] == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert figures["ndcg10"][0] == pytest.approx((1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3)))
    assert figures["r20"][0] == 1
    assert figures["mrr"][0] == 1


def test_what_stands_behind_the_cut_counts_only_for_the_whole_ranking():
    scores = -np.arange(30.0)[None]
    figures = measure(scores, [frozenset({10, 25})])
    assert figures["map"][0] == pytest.approx((1 / 11 + 2 / 26) / 2)
    assert figures["ndcg10"][0] == 0
    assert figures["r20"][0] == 0.5
    assert figures["mrr"][0] == pytest.approx(1 / 11)


def test_equal_scores_keep_the_order_of_the_corpus():
    assert measure(np.zeros((1, 5)), [frozenset({4})])["mrr"][0] == pytest.approx(1 / 5)


def test_the_interval_holds_the_mean_and_narrows_with_more_queries():
    values = np.random.default_rng(1).random(400)
    few, many = interval(values[:40]), interval(values)
    assert few[0] < values[:40].mean() < few[1]
    assert many[1] - many[0] < few[1] - few[0]


def test_queries_without_a_fitting_title_are_left_out():
    one = title_set("zh_x", {"1": "焊工", "2": "会计"}, {"a": "电焊工"}, {"1": {"a"}, "2": {"gone"}})
    assert (one.spoken, one.queries, one.relevant) == ("zh", ["焊工"], [frozenset({0})])
