"""Transformation: work by size, both ways."""

from __future__ import annotations

import pytest
from asking import Request

from meshsim.policies.filters.filter import Surroundings
from meshsim.policies.filters.transform import Transform
from meshsim.registry import SettingError

US = 1_000


def transform(**settings):
    made = Transform(**settings)
    made.check()
    return made.build(around=Surroundings())


def test_a_request_costs_a_fixed_time_and_one_by_size_and_goes_on():
    one = transform(request_time="100us", request_time_per_kib="20us")
    verdicts = [one.judge(0, Request(kib=kib), None) for kib in (0, 1, 2.5)]

    assert [verdict.work_ns for verdict in verdicts] == [100 * US, 120 * US, 150 * US]
    assert {(verdict.status, verdict.delay_ns) for verdict in verdicts} == {(0, 0)}


def test_size_does_not_matter_where_only_headers_are_rewritten():
    one = transform(request_time="100us")

    assert {one.judge(0, Request(kib=kib), None).work_ns for kib in (0, 1, 1000)} == {100 * US}


def test_an_answer_costs_by_its_own_size_and_not_by_the_request_s():
    one = transform(response_time="50us", response_time_per_kib="10us")

    assert one.judge(0, Request(kib=100), None).work_ns == 0
    assert [one.answer_work_ns(Request(kib=100), 200, kib) for kib in (0, 4)] == [50 * US, 90 * US]


def test_an_error_s_answer_is_rewritten_too_but_not_one_that_nobody_waits_for():
    one = transform(response_time="50us")

    assert [one.answer_work_ns(Request(), status, 1.0) for status in (200, 503, 0)] == [50 * US, 50 * US, 0]


@pytest.mark.parametrize("field", ["request_time", "request_time_per_kib"])
def test_more_time_is_more_work_for_requests(field):
    asked = Request(kib=3)

    assert (
        transform(**{field: "2us"}).judge(0, asked, None).work_ns > transform(**{field: "1us"}).judge(0, asked, None).work_ns > 0
    )


@pytest.mark.parametrize("field", ["response_time", "response_time_per_kib"])
def test_more_time_is_more_work_for_answers(field):
    asked = Request()

    assert (
        transform(**{field: "2us"}).answer_work_ns(asked, 200, 3.0)
        > transform(**{field: "1us"}).answer_work_ns(asked, 200, 3.0)
        > 0
    )


def test_one_that_does_nothing_is_an_error():
    with pytest.raises(SettingError, match="does nothing"):
        transform()
