"""Clients who give up, against Erlang A (M/M/c+M)."""

from __future__ import annotations

import numpy as np
from statistics_of_runs import measured, replicate, station

RATE, SERVICE_RATE, SERVERS, LEAVING_RATE = 220.0, 50.0, 4, 10.0


def erlang_a(rate: float, service_rate: float, servers: int, leaving_rate: float) -> tuple[float, float]:
    """Share of requests that leave the queue without service, and the mean wait of all, served or not.

    The number in the system is a birth-death process in which n leave at rate min(n, c) mu + max(n - c, 0) theta; those who leave the
    queue are theta E[Q] / lambda of all, and Little's law has E[Q] / lambda for the wait (Palm 1953; Mandelbaum and Zeltyn 2005).
    """
    counts = np.arange(2000)
    deaths = np.minimum(counts, servers) * service_rate + np.maximum(counts - servers, 0) * leaving_rate
    shares = np.cumprod(np.r_[1.0, rate / deaths[1:]])
    queue = float((np.maximum(counts - servers, 0) * shares).sum() / shares.sum())
    return leaving_rate * queue / rate, queue / rate


def test_a_small_case_by_hand():
    """One server, all rates 1: it is M/M/infinity, with a mean of 1 in the system of which 1 - e^-1 are in service on average."""
    left, waited = erlang_a(1.0, 1.0, 1, 1.0)

    assert np.allclose([left, waited], np.exp(-1))


def test_shares_and_waits_of_clients_with_exponential_patience_are_erlang_as():
    """At a load of 1.1, where a queue without patience has no end. `drop_queued` leaves out who has gone before its turn came.

    A client may also leave during its service, which goes on then: of those served it does so with a probability of theta / (theta + mu),
    whatever it has waited. Three 99.9 % intervals.
    """
    left, waited = erlang_a(RATE, SERVICE_RATE, SERVERS, LEAVING_RATE)
    scenario = station(
        f"{RATE}/s", {"exponential": {"mean": "20ms"}}, SERVERS, duration="42s", warm_up="2s", on_cancel="drop_queued"
    )
    scenario["load"]["clients"]["patience"] = {"exponential": {"mean": "100ms"}}

    def unserved(result):
        return float((measured(result)["started_ns"] < 0).mean())

    def gave_up(result):
        frame = result.requests.query("started_ns >= 2e9")
        return float((frame["response_flags"] == "DC").mean())

    def wait(result):
        frame = measured(result)
        until = frame["started_ns"].where(frame["started_ns"] >= 0, frame["ended_ns"])
        return float((until - frame["arrived_ns"]).mean() / 1e9)

    found = replicate(scenario, 8, unserved, gave_up, wait)

    assert found[0].agrees(left, 0.1), (str(found[0]), left)
    assert found[1].agrees(left + (1 - left) * LEAVING_RATE / (LEAVING_RATE + SERVICE_RATE), 0.05), str(found[1])
    assert found[2].agrees(waited, 0.1), (str(found[2]), waited)
