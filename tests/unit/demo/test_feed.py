"""Ads of past years become open postings by one constant; seekers are drawn from them."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from deploy.demo.feeds import feed_material
from deploy.demo.feeds.jobtech import Ad, shift_of, shifted
from services.postings.domain.jobtech import read
from services.postings.domain.submission import Submission
from services.profiles.domain.seekers import SeekerSubmission
from shared.contracts.partners import JobTechAdPublished

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def ad(number: int, last: str, **more: object) -> Ad:
    return {
        "id": f"ad-{number}",
        "headline": "Svetsare sökes",
        "publication_date": "2020-11-01T00:00:00",
        "last_publication_date": last,
        "application_deadline": last,
        "timestamp": 1_606_000_000_000 + number,
        "number_of_vacancies": 2,
        "occupation_group": [{"label": "Svetsare", "legacy_ams_taxonomy_id": "7212"}],
        "workplace_address": {"municipality_code": "0180", "municipality": "Stockholm", "region_code": "01"},
        "must_have": {"work_experiences": [{"concept_id": "abc_123", "label": "Svetsare"}]},
        "driving_license": [{"label": "b"}],
        **more,
    }


ADS = [ad(1, "2020-12-09T23:59:59"), ad(2, "2022-06-30T23:59:59"), ad(3, "2099-01-02T23:59:59")]


def test_the_first_ad_to_end_is_open_for_another_week():
    moved = [shifted(one, shift_of(ADS, NOW)) for one in ADS]
    ends = [datetime.fromisoformat(str(one["last_publication_date"])).replace(tzinfo=UTC) for one in moved]
    assert timedelta(days=7) <= min(ends) - NOW <= timedelta(days=8)


def test_one_constant_moves_all_dates():
    shift = shift_of(ADS, NOW)
    for one in ADS[:2]:
        moved = shifted(one, shift)
        for name in ("publication_date", "last_publication_date", "application_deadline"):
            before, after = (datetime.fromisoformat(str(which[name])) for which in (one, moved))
            assert after - before == shift
        assert int(str(moved["timestamp"])) - int(str(one["timestamp"])) == shift / timedelta(milliseconds=1)


def test_a_date_that_means_no_end_stays_and_is_still_taken():
    moved = shifted(ADS[2], shift_of(ADS, NOW))
    assert moved["last_publication_date"] == "2099-01-02T23:59:59"
    assert isinstance(read(JobTechAdPublished.model_validate(moved)), Submission)


@pytest.mark.parametrize("name", ["ads.jsonl", "ads.jsonl.gz"])
def test_every_ad_is_a_record_and_every_seeker_valid(tmp_path: Path, name: str):
    path = tmp_path / name
    text = "".join(json.dumps(one) + "\n" for one in ADS).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    material = feed_material(path, 1, 2, NOW)
    postings, seekers = list(material.postings), list(material.seekers)
    assert [posting.id for posting in postings] == ["ad-1", "ad-2", "ad-3"]
    assert len(seekers) == len(ADS) + 2
    for line in seekers:
        seeker = SeekerSubmission.model_validate_json(line)
        assert seeker.words
        assert (seeker.occupations, seeker.skills) == ((), ()), "said in words only"
        assert seeker.licences is not None
        assert [licence.key for licence in seeker.licences] == ["licence:B"]
        assert seeker.contact is not None
        assert "Exempel" in str(seeker.contact.name)
        assert {region.code for region in seeker.regions} <= {"0180", "01"}


def test_a_changed_ad_is_newer_and_different(tmp_path: Path):
    path = tmp_path / "ads.jsonl"
    path.write_text(json.dumps(ADS[0]))
    material = feed_material(path, 1, 0, NOW)
    (posting,) = material.postings
    before, after = (
        read(JobTechAdPublished.model_validate_json(which.body)) for which in (posting, material.changed(posting))
    )
    assert isinstance(before, Submission)
    assert isinstance(after, Submission)
    assert after.order > before.order
    assert after.terms.openings == before.terms.openings + 1


@pytest.mark.parametrize("text", ["", "hello\n", "[1]\n", '{"id": "1", "title": {"en": "Welder"}}\n', "\x00\xff"])
def test_a_file_that_is_none_of_the_lists_is_named(tmp_path: Path, text: str):
    path = tmp_path / "other.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"other\.jsonl holds none of the lists that are known here: JobTech ads"):
        feed_material(path, 1, 0, NOW)


def test_ads_have_no_day(tmp_path: Path):
    path = tmp_path / "ads.jsonl"
    path.write_text(json.dumps(ADS[0]))
    with pytest.raises(ValueError, match="no stream of openings and closings"):
        feed_material(path, 1, 0, NOW, date(2024, 1, 1))
