"""Envoy's retry budget."""

from __future__ import annotations

import pytest

from meshsim.policies.retry import RetryBudget


@pytest.mark.parametrize(
    ("in_flight", "limit"), [(0, 3), (13, 3), (15, 3), (19, 3), (20, 4), (24, 4), (25, 5), (100, 20), (104, 20)]
)
def test_a_fifth_of_what_is_in_flight_rounded_down_but_never_below_three(in_flight, limit):
    """13 in flight, as in the measured case retry_e30_r3_budget20: 20 % are 2, so the default budget is `max_retries: 3`."""
    assert RetryBudget().limit(active=in_flight, pending=0) == limit


def test_requests_that_wait_for_a_connection_count_as_well():
    assert RetryBudget().limit(active=10, pending=15) == RetryBudget().limit(active=25, pending=0) == 5


@pytest.mark.parametrize(("percent", "limit"), [(0.0, 3), (0.1, 5), (0.25, 12), (0.5, 25), (1.0, 50)])
def test_budget_percent_is_the_share(percent, limit):
    assert RetryBudget(budget_percent=percent).limit(active=50, pending=0) == limit


@pytest.mark.parametrize(("minimum", "limit"), [(0, 2), (1, 2), (3, 3), (10, 10)])
def test_min_retry_concurrency_is_the_floor(minimum, limit):
    assert RetryBudget(min_retry_concurrency=minimum).limit(active=10, pending=0) == limit


def test_without_a_minimum_a_few_requests_may_have_no_retry_at_all():
    assert RetryBudget(min_retry_concurrency=0).limit(active=4, pending=0) == 0
