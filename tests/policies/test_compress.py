"""Compression: time at the gateway against bytes on the link."""

from __future__ import annotations

import pytest
from asking import Request

from meshsim.policies.filters.compress import Compress
from meshsim.policies.filters.filter import PASS, Surroundings
from meshsim.registry import SettingError

US = 1_000


def compress(**settings):
    made = Compress(**settings)
    made.check()
    return made.build(around=Surroundings())


@pytest.mark.parametrize(
    ("settings", "megabytes_per_second", "percent"),
    [
        ({}, 35, 32.19),
        ({"level": 1}, 119, 36.45),
        ({"algorithm": "gzip", "level": 9}, 14, 31.92),
        ({"algorithm": "brotli", "level": 0}, 420, 37.01),
        ({"algorithm": "brotli", "level": 11}, 0.63, 23.79),
        ({"algorithm": "zstd", "level": 1}, 480, 34.68),
        ({"algorithm": "zstd", "level": 22}, 2.28, 24.88),
    ],
)
def test_time_and_bytes_are_lzbench_s(settings, megabytes_per_second, percent):
    """Envoy's gzip is at level 6 where nothing is said. Ten MB, to the nanosecond of work."""
    one = compress(**settings)
    kib = 10_000_000 / 1024

    assert one.answer_work_ns(Request(), 200, kib) == pytest.approx(10 / megabytes_per_second * 1e9, abs=1)
    assert one.answer_kib(100.0) == pytest.approx(percent)


@pytest.mark.parametrize("algorithm", ["brotli", "zstd"])
def test_level_3_is_envoy_s_default_for_the_others_and_lies_between_what_was_measured(algorithm):
    work = {level: compress(algorithm=algorithm, level=level).answer_work_ns(Request(), 200, 64.0) for level in (2, 3, 5)}
    left = {level: compress(algorithm=algorithm, level=level).answer_kib(64.0) for level in (2, 3, 5)}

    assert compress(algorithm=algorithm).answer_work_ns(Request(), 200, 64.0) == work[3]
    assert work[3] - work[2] == pytest.approx((work[5] - work[2]) / 3, abs=2)
    assert left[2] - left[3] == pytest.approx((left[2] - left[5]) / 3)


@pytest.mark.parametrize(("algorithm", "levels"), [("gzip", range(1, 10)), ("brotli", range(12)), ("zstd", range(1, 23))])
def test_a_higher_level_takes_longer_and_leaves_less(algorithm, levels):
    made = [compress(algorithm=algorithm, level=level) for level in levels]
    work = [one.answer_work_ns(Request(), 200, 100.0) for one in made]
    left = [one.answer_kib(100.0) for one in made]

    assert work == sorted(set(work))
    assert left == sorted(set(left), reverse=True)


def test_own_figures_take_the_place_of_the_measured_ones_one_by_one():
    slow, small = compress(time_per_kib="100us"), compress(ratio=4.0)

    assert slow.answer_work_ns(Request(), 200, 8.0) == 800 * US
    assert slow.answer_kib(8.0) == compress().answer_kib(8.0)
    assert small.answer_kib(8.0) == 2.0
    assert small.answer_work_ns(Request(), 200, 8.0) == compress().answer_work_ns(Request(), 200, 8.0)


def test_a_ratio_below_that_of_the_files_means_more_bytes():
    assert compress(ratio=1.5).answer_kib(30.0) == 20.0 > compress(ratio=3.0).answer_kib(30.0)


def test_small_answers_go_as_they_are():
    """Envoy's limit is 30 bytes, of which the answer of just 30 is compressed."""
    one, larger = compress(), compress(min_content_length="1KiB")

    assert [one.answer_work_ns(Request(), 200, size / 1024) > 0 for size in (0, 29, 30)] == [False, False, True]
    assert [one.answer_kib(size / 1024) < size / 1024 for size in (29, 30)] == [False, True]
    assert [larger.answer_kib(size / 1024) < size / 1024 for size in (1023, 1024)] == [False, True]
    assert compress(min_content_length=0).answer_work_ns(Request(), 200, 0.0) == 0


def test_requests_cost_nothing_and_neither_does_an_answer_that_nobody_waits_for():
    one = compress()

    assert one.judge(0, Request(kib=100), None) is PASS
    assert one.answer_work_ns(Request(kib=100), 0, 100.0) == 0


@pytest.mark.parametrize(("algorithm", "level"), [("gzip", 0), ("gzip", 10), ("brotli", 12), ("zstd", 0)])
def test_a_level_that_the_algorithm_has_not_is_an_error(algorithm, level):
    with pytest.raises(SettingError, match=f"{algorithm} has levels from") as error:
        compress(algorithm=algorithm, level=level)

    assert error.value.field == "level"
