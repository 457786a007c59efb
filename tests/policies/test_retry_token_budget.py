"""Finagle's and Linkerd's retry budget: a share of the first tries of the last seconds, and a few each second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshsim.policies.retry import LeakyBudget, RetryTokenBudgetState
from meshsim.registry import SettingError, families

SECOND = 1_000_000_000


def budget(**settings):
    return LeakyBudget(**settings).build()


def withdrawn(one, now_ns):
    """How many retries it pays for at once."""
    granted = 0
    while one.withdraw(now_ns, is_timeout=False):
        granted += 1
    return granted


def test_five_first_tries_pay_for_one_retry():
    one = budget(min_retries_per_second=0)
    for _ in range(4):
        one.deposit(0)
    assert withdrawn(one, 0) == 0

    one.deposit(0)

    assert withdrawn(one, 0) == 1


def test_a_new_budget_has_the_reserve_of_a_whole_ttl():
    """10/s over 10 s: a client that has just started may retry 100 times at once, before it has made a single other request."""
    assert budget().balance(0) == 100
    assert withdrawn(budget(), 0) == 100


@pytest.mark.parametrize(("minimum", "ttl", "retries"), [(0, "10s", 0), (1, "10s", 10), (10, "1s", 10), (10, "60s", 600)])
def test_the_reserve_is_min_retries_per_second_over_the_ttl(minimum, ttl, retries):
    assert withdrawn(budget(min_retries_per_second=minimum, ttl=ttl), 0) == retries


def test_the_reserve_is_a_rate_what_was_taken_comes_back_a_ttl_later():
    """As many as one can get: ten retries a second in the long run, but a hundred of them together."""
    one = budget(retry_ratio=0.0)

    assert [withdrawn(one, second * SECOND) for second in range(21)] == [100, *[0] * 9, 100, *[0] * 9, 100]


@pytest.mark.parametrize(
    ("ratio", "retries"), [(0.0, 0), (0.1, 10), (0.2, 20), (0.5, 50), (1.0, 100), (2.5, 250), (1000.0, 100_000)]
)
def test_retry_ratio_is_retries_for_each_first_try(ratio, retries):
    one = budget(min_retries_per_second=0, retry_ratio=ratio)
    for _ in range(100):
        one.deposit(0)

    assert withdrawn(one, 0) == retries


def test_the_balance_is_what_can_be_withdrawn_and_looking_takes_nothing():
    one = budget(min_retries_per_second=1, ttl="2s")
    for _ in range(7):
        one.deposit(0)

    assert [one.balance(0) for _ in range(3)] == pytest.approx([3.4] * 3)
    assert withdrawn(one, 0) == 3
    assert one.balance(0) == pytest.approx(0.4)


def test_a_deposit_expires_with_the_tenth_of_the_ttl_in_which_it_was_made():
    """In windows of 1 s for 10 s: made at 0.9 s it is there up to 9.999 s, made at 1.0 s up to 10.999 s."""
    for made_ns, gone_ns in ((900_000_000, 10 * SECOND), (SECOND, 11 * SECOND), (1_999_999_999, 11 * SECOND)):
        before, after = (budget(min_retries_per_second=0, retry_ratio=1.0) for _ in range(2))
        before.deposit(made_ns)
        after.deposit(made_ns)

        assert before.withdraw(gone_ns - 1, is_timeout=False)
        assert not after.withdraw(gone_ns, is_timeout=False)


@pytest.mark.parametrize(("ttl_s", "is_there"), [(1, False), (5, False), (6, True), (60, True)])
def test_a_longer_ttl_keeps_deposits_longer(ttl_s, is_there):
    one = budget(min_retries_per_second=0, retry_ratio=1.0, ttl=f"{ttl_s}s")
    one.deposit(0)

    assert one.withdraw(5 * SECOND, is_timeout=False) == is_there


def test_nothing_is_left_of_a_busy_time_after_a_long_pause():
    one = budget(min_retries_per_second=0)
    for number in range(10_000):
        one.deposit(number * SECOND // 1000)

    assert one.balance(3600 * SECOND) == pytest.approx(0, abs=1e-9)
    assert withdrawn(one, 3600 * SECOND) == 0


def test_a_withdrawal_outlives_the_deposit_that_it_has_used():
    """A withdrawal is a negative deposit in the window in which it is made, and so expires after the deposit that it has used.

    Finagle's windowed adder does this: for a time the sum may be below zero, and the reserve pays.
    """
    one = budget(min_retries_per_second=0, retry_ratio=1.0)
    one.deposit(0)
    assert one.withdraw(9 * SECOND, is_timeout=False)
    one.deposit(10 * SECOND)

    assert one.balance(10 * SECOND) == pytest.approx(0)  # 1 of 10 s, -1 of 9 s; the 1 of 0 s is gone
    assert one.balance(19 * SECOND) == pytest.approx(1)


def test_successes_pay_nothing_in_and_a_timeout_costs_nothing_more():
    one = budget(min_retries_per_second=0)
    for _ in range(100):
        one.succeeded(0)
        one.succeeded(0, is_retry=True, is_timeout=True)
    assert withdrawn(one, 0) == 0

    for _ in range(10):
        one.deposit(0)

    assert one.withdraw(0, is_timeout=True)
    assert one.withdraw(0, is_timeout=True)
    assert not one.withdraw(0, is_timeout=True)


@pytest.mark.parametrize(("ratio", "load"), [(0.1, 1.1), (0.2, 1.2)])
def test_a_total_outage_goes_on_with_the_retries_of_the_ratio(ratio, load):
    """The trap: deposits are made by first tries, not by successes. A budget that successes fill would give 1.0 times the load."""
    one, tries = budget(min_retries_per_second=0, retry_ratio=ratio), 0
    for number in range(100_000):
        now_ns = number * SECOND // 1000
        one.deposit(now_ns)
        tries += 1 + withdrawn(one, now_ns)

    assert tries / 100_000 == pytest.approx(load, abs=0.001)


def test_in_a_total_outage_the_reserve_comes_on_top():
    """1000/s with the defaults: 1200 tries a second, and 10 more from the reserve."""
    one, tries = budget(), 0
    for number in range(100_000):
        now_ns = number * SECOND // 1000
        one.deposit(now_ns)
        tries += 1 + withdrawn(one, now_ns)

    assert tries / 100 == pytest.approx(1000 + 200 + 10, rel=0.001)


@pytest.mark.parametrize("ttl", ["999ms", "0s", "60001ms", "10m"])
def test_a_ttl_that_finagle_refuses_is_refused(ttl):
    with pytest.raises(SettingError) as refused:
        LeakyBudget(ttl=ttl).check()

    assert refused.value.field == "ttl"
    assert str(refused.value) == "must be from 1s to 60s, as in Finagle"


@pytest.mark.parametrize("ttl", ["1s", "10s", "60s"])
def test_a_ttl_from_a_second_to_a_minute_is_fine(ttl):
    LeakyBudget(ttl=ttl).check()


def test_each_owner_has_a_budget_of_its_own():
    settings = LeakyBudget(min_retries_per_second=1, ttl="1s")
    one, other = settings.build(), settings.build()

    assert withdrawn(one, 0) == 1
    assert withdrawn(other, 0) == 1


@given(
    steps=st.lists(st.tuples(st.integers(0, 700_000_000), st.booleans()), min_size=1, max_size=150),
    ratio=st.sampled_from([0.0, 0.1, 0.2, 0.75, 1.0, 3.0]),
    minimum=st.integers(0, 3),
    ttl_s=st.integers(1, 12),
)
def test_it_agrees_with_a_list_of_all_that_was_ever_paid_in_and_out(steps, ratio, minimum, ttl_s):
    """The sum of the last ten windows, counted anew each time in thousandths, and the reserve; retries exactly where that is 1."""
    ttl_ns = ttl_s * SECOND
    one, entries, now_ns = budget(retry_ratio=ratio, min_retries_per_second=minimum, ttl=ttl_ns), [], 0
    for gap_ns, is_first_try in steps:
        now_ns += gap_ns
        window = now_ns * 10 // ttl_ns
        if is_first_try:
            one.deposit(now_ns)
            entries.append((window, round(ratio * 1000)))
            continue
        left = minimum * ttl_s * 1000 + sum(amount for made, amount in entries if made > window - 10)
        granted = one.withdraw(now_ns, is_timeout=False)
        assert granted == (left >= 1000)
        if granted:
            entries.append((window, -1000))


def test_a_family_member_of_ones_own_needs_a_rule_for_withdrawals():
    assert set(families()["retry_token_budget"]) >= {"leaky_budget", "retry_quota"}
    with pytest.raises(NotImplementedError):
        RetryTokenBudgetState().withdraw(0, is_timeout=False)
