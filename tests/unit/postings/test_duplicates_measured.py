"""Merges on the real ads are right: at least 99 of 100."""

from __future__ import annotations

import pytest

from tests.eval import duplicates


@pytest.mark.skipif(not duplicates.ADS.exists(), reason="the JobTech ads are not here")
def test_what_is_merged_of_the_real_ads_is_the_same_vacancy():
    report = duplicates.measure()
    judged, carried = report["judged"], report["carried"]
    assert judged["precision"] >= duplicates.BAR
    assert carried["precision"] >= duplicates.BAR
    # and that not because nothing is merged
    assert judged["merged"] >= 5
    assert carried["merged"] >= 400


def test_judgements_name_each_pair_once_in_words_that_are_known():
    labels = duplicates.judgements()
    assert len(labels) >= 100
    for (first, second), judgement in labels.items():
        assert first < second
        assert {*judgement} <= {"same", "different", "unsure"}
