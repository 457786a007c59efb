"""MSER-5 against its definition, and what the check of a warm-up says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import MS, SECOND, plan, requests, summary_of

from meshsim.metrics import warm_up
from meshsim.metrics.mser import mser, mser5
from meshsim.metrics.warm_up import LatencySequence


def by_definition(values: list[float]) -> int | None:
    """The truncation with the smallest sum of squares over the square of what is left, of all up to half."""
    found = []
    for left_out in range(len(values) // 2 + 1):
        rest = np.array(values[left_out:])
        found.append(((rest - rest.mean()) ** 2).sum() / len(rest) ** 2)
    best = int(np.argmin(found))
    return None if best == len(values) // 2 else best


def test_a_start_that_is_off_is_left_out_exactly() -> None:
    assert mser(np.array([9.0, 9.0, 9.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0])) == 3


def test_of_values_that_are_steady_nothing_is_left_out() -> None:
    assert mser(np.array([1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0])) == 0


def test_values_that_grow_to_the_end_are_too_few_to_tell() -> None:
    assert mser(np.arange(20.0)) is None
    assert mser5(np.arange(100.0)) is None


def test_batches_are_of_five_and_what_does_not_fill_one_is_left_out() -> None:
    values = np.concatenate([np.full(12, 50.0), np.tile([1.0, 2.0, 3.0], 30), [9e9]])

    assert mser5(values) == 15


@pytest.mark.parametrize("count", [0, 1, 4, 9])
def test_fewer_than_ten_values_tell_nothing(count: int) -> None:
    assert mser5(np.zeros(count)) is None


@given(st.lists(st.integers(0, 50), min_size=2, max_size=40))
def test_it_is_its_definition(values: list[int]) -> None:
    found = mser(np.array(values, dtype=float))
    expected = by_definition([float(one) for one in values])

    if found != expected:  # two that are equal but for the rounding of the sums
        half = len(values) // 2
        errors = [
            np.var(values[d:]) / (len(values) - d)
            for d in (half if found is None else found, half if expected is None else expected)
        ]
        assert errors[0] == pytest.approx(errors[1], rel=1e-9, abs=1e-12)


def slow_start(count: int = 8_000) -> dict[str, np.ndarray]:
    """Eight thousand requests in 8 s, of which the first thousand take longer."""
    rng = np.random.default_rng(3)
    started = np.arange(count) * (8 * SECOND // count)
    took = (rng.exponential(5, count) * MS).astype(np.int64) + np.where(np.arange(count) < count // 8, 40 * MS, 0)
    return {"request": np.arange(count), "started_ns": started, "ended_ns": started + took}


def test_the_time_of_the_truncation_is_told() -> None:
    summary = summary_of(plan(consumers=("",)), requests=requests(**slow_start()))

    assert summary.warm_up_check == ""
    assert summary.warm_up_needed_s == pytest.approx(1.0, abs=0.05)


def test_the_order_in_which_requests_end_does_not_matter() -> None:
    rows, order = slow_start(), np.random.default_rng(1).permutation(8_000)
    shuffled = [requests(**{name: column[part] for name, column in rows.items()}) for part in np.array_split(order, 7)]

    assert (
        summary_of(plan(), requests=shuffled).warm_up_needed_s == summary_of(plan(), requests=requests(**rows)).warm_up_needed_s
    )


def test_only_what_started_before_the_first_fault_is_looked_at() -> None:
    rows = slow_start()
    rows["ended_ns"] = rows["ended_ns"] + np.where(rows["started_ns"] >= 5 * SECOND, SECOND, 0)
    summary = summary_of(plan(faults=((5 * SECOND, 6 * SECOND),)), requests=requests(**rows))

    assert summary.warm_up_needed_s == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("settings", "count", "reason"),
    [
        ({"faults": ((SECOND, 2 * SECOND),)}, 8_000, "a fault begins before the warm-up is over"),
        ({}, 90, "there are fewer than 100 requests to tell it from"),
        ({"duration_ns": 20 * SECOND, "consumers": ("",)}, 8_000, ""),
    ],
)
def test_where_it_cannot_be_told_the_reason_is(settings: dict, count: int, reason: str) -> None:
    summary = summary_of(plan(**settings), requests=requests(**slow_start(count)))

    assert summary.warm_up_check == reason
    assert (summary.warm_up_needed_s is None) == bool(reason)


def test_latencies_that_grow_all_the_time_are_not_told() -> None:
    starts = np.arange(1_000) * 8 * MS
    summary = summary_of(plan(), requests=requests(request=np.arange(1_000), started_ns=starts, ended_ns=starts * 2 + MS))

    assert summary.warm_up_needed_s is None
    assert summary.warm_up_check == "the run is too short to tell: latencies have not settled in its first half"


def test_memory_does_not_grow_with_the_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "MOST_BATCHES", 64)
    rng = np.random.default_rng(5)
    took = rng.integers(1, 100, 10_000) * MS
    sequence = LatencySequence(until_ns=10 * SECOND)
    for part in np.array_split(np.arange(10_000), 13):
        sequence.add(requests(request=part, started_ns=part * MS, ended_ns=part * MS + took[part]))
    means, starts_ns = sequence.batches()

    size = 5 * 2**5  # 62 batches of 160
    assert len(means) == 62
    assert means == pytest.approx(took[: 62 * size].reshape(62, size).mean(axis=1))
    assert starts_ns.tolist() == (np.arange(62) * size * MS).tolist()
