"""Connection pools against exact theory: a pool is a station with as many servers as it has connections.

Each asserts 99.9 % intervals: the odds of a false alarm on a fresh seed are one in a thousand for each.
"""

from __future__ import annotations

from math import exp

import pytest
from statistics_of_runs import erlang_c, replicate

POOL = "orders"


def pooled(rate, size, *, duration="60s", load=None, **pool):
    """Requests that hold a connection for an exponential 10 ms, of a service whose workers are never short."""
    clients = {"executor": "constant-arrival-rate", "rate": rate, "arrivals": "poisson", "requests": {"shop": 1}}
    return {
        "name": "pooled",
        "load": {"clients": load or clients},
        "services": {
            "shop": {
                "workers": 10_000,
                "connection_pools": {POOL: {"maximum_pool_size": size, "acquire_timeout": "none", **pool}},
                "script": [{"transaction": POOL, "script": [{"compute": {"exponential": {"mean": "10ms"}}}]}],
            }
        },
        "run": {"duration": duration, "warm_up": "2s"},
    }


def only_pool(result):
    (one,) = result.summary().connection_pools
    return one


def mean_latency(result):
    requests = result.requests
    return float(requests.loc[requests["started_ns"] >= 2e9, "latency_s"].mean())


@pytest.mark.parametrize("waiters", ["fifo", pytest.param("random", marks=pytest.mark.slow)])
def test_the_wait_is_that_of_m_m_c_in_any_order(waiters):
    """E[W] = C(c, a) / (c mu - lambda), whoever is next (Kleinrock 1975, section 3.5); the pool's own account says the same."""
    latency, wait, in_use = replicate(
        pooled("240/s", 3, waiters=waiters, duration="90s"),
        10,
        mean_latency,
        lambda result: only_pool(result).wait_mean_s,
        lambda result: only_pool(result).in_use_mean,
    )
    expected = erlang_c(3, 2.4) / (300 - 240)

    assert latency.agrees(expected + 0.010, 0.14), latency
    assert wait.agrees(expected, 0.25), wait
    assert in_use.agrees(2.4, 0.03), in_use


def test_where_nobody_waits_erlang_b_is_refused():
    """B(c, a) of them: M/M/c/c (Erlang, 1917)."""
    blocking = 1.0
    for servers in range(1, 5):
        blocking = 3.0 * blocking / (servers + 3.0 * blocking)

    (refused,) = replicate(
        pooled("300/s", 4, duration="30s", acquire_timeout="0s"), 10, lambda result: result.summary().total.error_share
    )

    assert refused.agrees(blocking, 0.08), refused


def test_waiting_in_vain_is_m_m_c_with_constant_patience():
    """Who would have to wait longer than t goes then. For c = 1: P(timed out) = p0 rho exp((lambda - mu) t) (Barrer, 1957)."""
    rate, mu, limit_s = 80, 100, 0.05
    growth = exp((rate - mu) * limit_s)
    idle = 1 / (1 + rate * (1 - growth) / (mu - rate) + rate / mu * growth)

    (late,) = replicate(pooled("80/s", 1, acquire_timeout="50ms"), 10, lambda result: result.summary().total.error_share)

    assert late.agrees(idle * rate / mu * growth, 0.15), late


def test_users_who_think_are_a_closed_network_by_mean_value_analysis():
    """N users think for Z and hold one of c connections: exact MVA with a multi-server station and a delay station.

    Source: Reiser and Lavenberg, "Mean-value analysis of closed multichain queuing networks", Journal of the ACM 27(2), 1980.
    """
    users, think_s, service_s, servers = 12, 0.05, 0.010, 2
    chances = [1.0] + [0.0] * users
    """Of so many at the pool, with so many users as have been counted in."""
    throughput = 0.0
    for count in range(1, users + 1):
        response = sum(here / min(here, servers) * chances[here - 1] * service_s for here in range(1, count + 1))
        throughput = count / (think_s + response)
        after = [throughput * service_s / min(here, servers) * chances[here - 1] for here in range(1, count + 1)]
        chances = [1 - sum(after), *after, *[0.0] * (users - count)]
    closed = {"executor": "constant-vus", "vus": users, "think_time": {"exponential": {"mean": "50ms"}}, "requests": {"shop": 1}}

    (seen,) = replicate(
        pooled("", servers, duration="30s", load=closed), 10, lambda result: result.summary().total.throughput_per_s
    )

    assert seen.agrees(throughput, 0.02), seen
