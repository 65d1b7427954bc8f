"""A job posting of schema.org to start from, and how it is read."""

from __future__ import annotations

import json
from typing import Any

from services.postings.domain.forms import Reading, read
from services.postings.domain.submission import Submission
from shared.contracts.partners import JobPostingPublished


def job(**fields: object) -> dict[str, Any]:
    return {"@context": "https://schema.org", "@type": "JobPosting", "identifier": "1", "title": "Welder"} | fields


def reading(record: Any) -> Reading:  # noqa: ANN401 - JSON
    data = json.dumps(record).encode()
    return read(JobPostingPublished.model_validate_json(data), data)


def submission(**fields: object) -> Submission:
    content = reading(job(**fields)).content
    assert isinstance(content, Submission), content
    return content


def noted(content: Submission) -> list[tuple[str, str]]:
    return [(note.pointer, note.code) for note in content.notes]


def codes(record: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - JSON
    content = reading(record).content
    assert isinstance(content, tuple), content
    return [(fault.pointer, fault.code) for fault in content]
