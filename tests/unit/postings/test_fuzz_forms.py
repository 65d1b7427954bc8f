"""Whatever a partner sends is taken, or rejected with a reason; nothing crashes, and good records stay good."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.postings.domain.forms import FORMS, Form
from tests.fuzz.records import LEAST, NASTY, body, headers, judge, records, shaped, values

MANY = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_the_least_record_is_taken(form: Form):
    assert judge(next(headers(form)), body(LEAST[form.name])) == "Submission"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@MANY
@given(data=st.data())
def test_any_record(form: Form, data: st.DataObject):
    record = data.draw(records(form))
    for announced in headers(form):
        judge(announced, body(record))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@MANY
@given(data=st.data())
def test_a_field_alone(form: Form, data: st.DataObject):
    """One bad field in a good record: what others' forms leave out must not cost the job without need."""
    name = data.draw(st.sampled_from(sorted(form.fields)))
    judge(next(headers(form)), body(LEAST[form.name] | {name: data.draw(shaped(form.fields[name]))}))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_field_with_every_nasty_value(form: Form):
    for name, at in form.fields.items():
        for nasty in NASTY:
            inner: list[Any] = [nasty, [nasty], {"value": nasty, "name": nasty, "unitText": "HOUR", "currency": "CNY"}]
            if isinstance(at, dict):
                inner += [{field: nasty} for field in at]
            for value in inner:
                judge(next(headers(form)), body(LEAST[form.name] | {name: value}))


@MANY
@given(
    announced=st.sampled_from([one for form in FORMS for one in headers(form)]),
    value=st.binary(max_size=200) | values.map(body),
)
def test_any_bytes(announced: Any, value: bytes):  # noqa: ANN401 - headers
    judge(announced, value)


@MANY
@given(data=st.data())
def test_a_broken_record(data: st.DataObject):
    form = data.draw(st.sampled_from(FORMS))
    whole = body(data.draw(records(form)))
    cut = data.draw(st.integers(0, len(whole)))
    judge(next(headers(form)), whole[:cut] + data.draw(st.binary(max_size=3)) + whole[cut + 1 :])


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("depth", [31, 32, 150, 250, 100_000])
def test_deep_nesting(form: Form, depth: int):
    deep = b'{"x":' * (depth - 1) + b"{}" + b"}" * (depth - 1)
    whole = json.dumps(LEAST[form.name]).encode()[:-1] + b',"deep":' + deep + b"}"
    assert judge(next(headers(form)), whole) == {31: "Submission", 32: "rejected", 150: "rejected"}.get(
        depth, "undecoded"
    )
