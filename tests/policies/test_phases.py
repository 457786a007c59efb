"""Windows by the time of day, and timers that began with their process."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from scripted import Scripted

from meshsim.policies.admission import FixedWindow, Quota, SlidingWindowCounter, SteppedTokenBucket
from meshsim.policies.circuit_breaking.window import Window
from meshsim.policies.concurrency.gradient_controller import GradientController, Settings
from meshsim.policies.edge import DnsRoundRobin
from meshsim.policies.filters import RateLimit, RateLimitRule, Surroundings
from meshsim.policies.filters.key_set import KeySet
from meshsim.policies.retry import LeakyBudget

S = 1_000_000_000


def test_a_fixed_window_begins_by_the_clock_on_the_wall():
    """At 12:00:57 a window of a minute has three seconds left."""
    window = FixedWindow(requests=1, window="1m").build(time_zero_ns=57 * S)

    assert [window.admit(now_ns=at * S) for at in (0, 1, 2, 3, 4, 62, 63)] == [True, False, False, True, False, False, True]
    assert window.retry_after_ns(now_ns=64 * S) == 59 * S
    assert window.remaining(now_ns=64 * S) == 0


def test_a_sliding_windows_counters_are_aligned_to_the_same_clock():
    """Ten in the second before the boundary at 3 s; half a window later half of them still count."""
    window = SlidingWindowCounter(requests=10, window="1m").build(time_zero_ns=57 * S)

    assert sum(window.admit(now_ns=2 * S) for _ in range(11)) == 10
    assert window.estimate(now_ns=33 * S) == pytest.approx(5)
    assert window.retry_after_ns(now_ns=3 * S) == 6 * S


def test_a_bucket_with_a_timer_is_filled_when_its_proxys_timer_says():
    """The proxy began 0.3 s before time zero: fills at 0.7 s, 1.7 s and so on. One that began at 2.5 s fills at 3.5 s."""
    old, new = (SteppedTokenBucket(max_tokens=1, fill_interval="1s").build(born_ns=round(born * S)) for born in (-0.3, 2.5))

    assert [old.admit(now_ns=round(at * S)) for at in (0, 0.6, 0.7, 1.6, 1.7)] == [True, False, True, False, True]
    assert old.retry_after_ns(now_ns=round(1.8 * S)) == round(0.9 * S)
    assert [new.admit(now_ns=round(at * S)) for at in (2.5, 3.4, 3.5)] == [True, False, True]


def test_rules_tell_their_limits_what_time_it_is():
    rule = RateLimitRule(limit=FixedWindow(requests=1, window="1m"))
    limit = RateLimit(rules=(rule,)).build(around=Surroundings(time_zero_ns=57 * S))
    asked = SimpleNamespace(consumer=0, route=0)

    statuses = [limit.judge(at * S, asked, Scripted()).status for at in (0, 2, 3)]
    assert statuses == [0, 429, 0]


@pytest.mark.parametrize(
    ("own", "of_the_run", "ends_s"),
    [
        (None, "2026-03-01T23:59:00", 60),
        ("2026-03-01T23:59:50", "2026-03-01T23:59:00", 10),
        (None, "", 86_400),
        (None, "2026-03-02T00:59:00+01:00", 60),
    ],
)
def test_a_quota_ends_by_its_own_time_or_else_the_runs(own, of_the_run, ends_s):
    quota = Quota(requests=1, period="day", time_zero=own).build(begins=of_the_run)

    assert quota.admit(now_ns=0)
    assert quota.retry_after_ns(now_ns=0) == ends_s * S


def test_a_breakers_seconds_are_those_of_the_clock():
    """Half a second is over at time zero: what ended at 0.4 s is of another second than what ended at 0.5 s."""
    window = Window(1, is_timed=True, zero_ns=S // 2)
    window.add(round(0.4 * S), is_failure=True, is_slow=False)
    assert window.calls == 1

    window.add(round(0.5 * S), is_failure=False, is_slow=False)
    assert (window.calls, window.failures) == (1, 0)


def test_a_budgets_windows_began_with_the_process():
    """A deposit of the window that ends at 0.3 s expires when ten windows are over, at 9.3 s and not at 10 s."""
    budget = LeakyBudget(ttl="10s", min_retries_per_second=0, retry_ratio=1.0).build(born_ns=-round(0.7 * S))
    budget.deposit(0)

    assert budget.balance(round(9.2 * S)) == 1.0
    assert budget.balance(round(9.4 * S)) == 0.0


def test_keys_are_fetched_in_the_background_since_the_process_began():
    """Every 10 s since 4 s before time zero: a key that is published at 1 s is known from 6 s on."""
    keys = KeySet((1 * S,), 0, 15 * S, is_async=True, born_ns=-4 * S)

    assert [keys.known(round(at * S)) for at in (0.5, 1.5, 5.9, 6.0)] == [0, 0, 0, 1]


def test_a_proxy_that_was_there_before_measures_its_best_time_again_after_the_rest_of_an_interval():
    """Of 60 s between measurements 45 are over as the run begins; a process that begins with the run has all of them before it."""
    settings = Settings(0.5, 100, S // 10, 60 * S, 1, 0.0, 3, 0.25)

    def measures_again_s(over_ns: int) -> int:
        controller = GradientController(settings, over_ns)
        draw = SimpleNamespace(uniform=lambda: 0.5)
        controller.admit(0, draw)
        controller.done(1, 1)
        assert not controller.is_measuring
        for at in range(1, 100):
            controller.admit(at * S, draw)
            if controller.is_measuring:
                return at
            controller.done(at * S + 1, 1)
        raise AssertionError

    assert (measures_again_s(45 * S), measures_again_s(0)) == (16, 61)


def test_clients_that_were_there_before_do_not_all_ask_dns_again_at_once():
    """A thousand addresses look up at time zero; the answers run out evenly over the 30 s, each once. A new client's lasts for all of them."""
    balancer = DnsRoundRobin(ttl="30s").build(replicas=2, seed=5)
    last: dict[int, int] = {}
    changed = [0] * 30
    for second in range(30):
        for address in range(1000):
            balancer.pick([0, 0], [True, True], address, second * S, Scripted())
            looked_up = balancer._answers[address][1]  # noqa: SLF001 — when it asked is seen by nobody else
            changed[second] += looked_up != last.setdefault(address, looked_up)
            last[address] = looked_up

    assert sum(changed) == pytest.approx(967, abs=25)
    assert max(changed) < 60
    balancer.pick([0, 0], [True, True], 5000, 40 * S, Scripted())
    assert balancer._answers[5000][1] == 40 * S  # noqa: SLF001
