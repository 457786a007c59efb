"""AWS SDKs' retry quota: a bucket of retries that successes fill up."""

from __future__ import annotations

import pytest

from meshsim.policies.retry import RetryQuota

NOW = 0


def quota(**settings):
    return RetryQuota(**settings).build()


def retries_until_empty(one, *, is_timeout=False):
    granted = 0
    while one.withdraw(NOW, is_timeout):
        granted += 1
    return granted


def test_the_bucket_is_full_at_the_start_and_pays_for_a_hundred_retries():
    assert retries_until_empty(quota()) == 500 // 5 == 100


def test_a_retry_after_a_timeout_costs_twice_as_much():
    assert retries_until_empty(quota(), is_timeout=True) == 500 // 10 == 50


@pytest.mark.parametrize(("capacity", "retries"), [(4, 0), (5, 1), (9, 1), (10, 2), (1000, 200)])
def test_capacity_is_what_a_burst_of_failures_can_spend(capacity, retries):
    assert retries_until_empty(quota(capacity=capacity)) == retries


@pytest.mark.parametrize(("cost", "retries"), [(1, 500), (5, 100), (7, 71), (500, 1), (501, 0)])
def test_retry_cost_is_taken_for_each_retry_and_no_part_of_it_is_lent(cost, retries):
    assert retries_until_empty(quota(retry_cost=cost)) == retries
    assert retries_until_empty(quota(retry_cost=cost), is_timeout=True) == 50


@pytest.mark.parametrize(("cost", "retries"), [(1, 500), (20, 25), (501, 0)])
def test_timeout_retry_cost_is_taken_after_timeouts_only(cost, retries):
    assert retries_until_empty(quota(timeout_retry_cost=cost), is_timeout=True) == retries
    assert retries_until_empty(quota(timeout_retry_cost=cost)) == 100


@pytest.mark.parametrize(("refund", "successes"), [(1, 5), (2, 3), (5, 1), (100, 1)])
def test_success_refund_is_what_a_success_without_a_retry_gives_back(refund, successes):
    one = quota(success_refund=refund)
    retries_until_empty(one)

    for _ in range(successes - 1):
        one.succeeded(NOW)
    assert not one.withdraw(NOW, is_timeout=False)
    one.succeeded(NOW)
    assert one.withdraw(NOW, is_timeout=False)


def test_without_a_refund_first_tries_give_nothing_back():
    one = quota(success_refund=0)
    retries_until_empty(one)

    for _ in range(10_000):
        one.succeeded(NOW)

    assert not one.withdraw(NOW, is_timeout=False)


@pytest.mark.parametrize("is_timeout", [False, True])
def test_a_retry_that_succeeds_gives_back_what_it_has_cost(is_timeout):
    """botocore's release_retry_quota: the last acquisition, not the 1 of a success at the first try."""
    one = quota()

    for _ in range(10_000):
        assert one.withdraw(NOW, is_timeout)
        one.succeeded(NOW, is_retry=True, is_timeout=is_timeout)

    assert one.tokens == 500


def test_a_retry_that_fails_again_gives_back_nothing():
    """Two retries and a success: only the second one's cost comes back."""
    one = quota()
    one.withdraw(NOW, is_timeout=True)
    one.withdraw(NOW, is_timeout=False)
    one.succeeded(NOW, is_retry=True)

    assert one.tokens == 500 - 10


def test_the_bucket_never_holds_more_than_its_capacity():
    one = quota(capacity=7)
    for _ in range(100):
        one.succeeded(NOW)
    one.succeeded(NOW, is_retry=True)

    assert retries_until_empty(one) == 1


def test_first_tries_pay_nothing_in_and_time_brings_nothing():
    one = quota()
    retries_until_empty(one)

    for second in range(3600):
        one.deposit(second * 1_000_000_000)

    assert not one.withdraw(3600 * 1_000_000_000, is_timeout=False)


def test_a_refused_retry_takes_nothing():
    one = quota(capacity=9)
    assert one.withdraw(NOW, is_timeout=False)
    for _ in range(50):
        assert not one.withdraw(NOW, is_timeout=False)

    one.succeeded(NOW)

    assert one.withdraw(NOW, is_timeout=False)


def test_a_total_outage_uses_the_bucket_up_once_and_then_there_are_no_retries():
    """1.0 times the load, whatever its rate: where a budget that first tries fill goes on with 1.2 times."""
    one, tries = quota(), 0
    for _ in range(10_000):
        one.deposit(NOW)
        tries += 1 + one.withdraw(NOW, is_timeout=False)

    assert tries == 10_000 + 100


def test_each_owner_has_a_bucket_of_its_own():
    settings = RetryQuota(capacity=5)
    one, other = settings.build(), settings.build()

    assert one.withdraw(NOW, is_timeout=False)
    assert other.withdraw(NOW, is_timeout=False)
