"""Transcoding: JSON outside, gRPC inside."""

from __future__ import annotations

import pytest
from asking import Request

from meshsim.policies.filters.filter import Decision, Surroundings
from meshsim.policies.filters.transcode import Transcode
from meshsim.registry import SettingError

US = 1_000


def transcode(**settings):
    made = Transcode(**settings)
    made.check()
    return made.build(around=Surroundings())


def test_a_request_costs_by_the_size_of_its_json():
    one = transcode(request_time="10us", request_time_per_kib="8us", ratio=2.0)

    assert [one.judge(0, Request(kib=kib), None).work_ns for kib in (0, 1, 2.5)] == [10 * US, 18 * US, 30 * US]


def test_an_answer_costs_by_the_size_of_its_protobuf():
    one = transcode(response_time="10us", response_time_per_kib="8us", ratio=2.0)

    assert [one.answer_work_ns(Request(kib=50), 200, kib) for kib in (0, 1, 2.5)] == [10 * US, 18 * US, 30 * US]
    assert one.answer_work_ns(Request(), 0, 1.0) == 0


@pytest.mark.parametrize("field", ["request_time", "request_time_per_kib"])
def test_more_time_is_more_work_for_requests(field):
    asked = Request(kib=3)

    assert (
        transcode(**{field: "2us"}).judge(0, asked, None).work_ns > transcode(**{field: "1us"}).judge(0, asked, None).work_ns > 0
    )


@pytest.mark.parametrize("field", ["response_time", "response_time_per_kib"])
def test_more_time_is_more_work_for_answers(field):
    work = [transcode(**{field: time}).answer_work_ns(Request(), 200, 3.0) for time in ("1us", "2us")]

    assert 0 < work[0] < work[1]


def test_the_service_sees_fewer_bytes_and_the_client_as_many_as_ever():
    one = transcode(ratio=2.5)

    assert one.request_kib(10.0) == 4.0
    assert one.answer_kib(4.0) == 10.0
    assert transcode().request_kib(10.0) == transcode().answer_kib(10.0) == 10.0


def test_json_of_just_the_limit_passes_and_more_is_a_413():
    one, more = transcode(), transcode(max_request_body_size="2MiB")

    assert [one.judge(0, Request(kib=kib), None).status for kib in (1024, 1024.001)] == [0, 413]
    assert one.judge(0, Request(kib=2000), None).decision is Decision.LIMITED
    assert more.judge(0, Request(kib=2000), None).status == 0


def test_a_limit_that_nothing_passes_is_an_error():
    with pytest.raises(SettingError, match="larger than 0B"):
        transcode(max_request_body_size=0)
