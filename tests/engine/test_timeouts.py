"""Timeouts one around the other: which of them ends what, and what each call knows of when it will be given up."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_calls import MS, Bench

import meshsim as ms
from meshsim.engines.reference.layers.timeout import within
from meshsim.engines.reference.time.outcome import OK, failure
from meshsim.flags import Flag
from meshsim.plan import NONE

IDLE = failure(504, Flag.SI, 0)


class Deadlines:
    """An inner handler that notes what its call knows, at once and after a while."""

    def __init__(self, bench: Bench, inner: Any = None) -> None:
        self.bench = bench
        self.inner = inner
        self.seen_ms: list[float] = []

    def call(self, call: Any) -> Any:
        self.seen_ms.append(NONE if call.deadline_ns == NONE else call.deadline_ns / MS)
        yield 10 * MS
        if self.inner is not None:
            return (yield from self.inner.call(call))
        return OK


def telling(bench: Bench, inner: Any, *timeouts_ms: float) -> Any:
    """Timeouts around it, the innermost first, that are told to the call."""
    bench.refusals.tells_deadlines = True
    for timeout_ms in timeouts_ms:
        inner = within(inner, round(timeout_ms * MS), bench.refusals, IDLE)
    return inner


class TestDeadlines:
    @pytest.mark.parametrize(("timeouts", "known"), [([], NONE), ([50], 50), ([50, 80], 50), ([80, 50], 50)])
    def test_the_earliest_timeout_around_a_call_is_its_deadline(self, timeouts, known):
        bench = Bench()
        innermost = Deadlines(bench)

        bench.run(telling(bench, innermost, *timeouts))

        assert innermost.seen_ms == [known]

    def test_one_that_begins_later_ends_later(self):
        bench = Bench()
        innermost = Deadlines(bench)
        outer = Deadlines(bench, telling(bench, innermost, 50))

        bench.run(telling(bench, outer, 200))

        assert (outer.seen_ms, innermost.seen_ms) == ([200], [60])

    def test_afterwards_it_is_what_it_was_before(self):
        bench = Bench()
        for cut_ms in (0.0, 5.0):
            call = bench.call()
            call.deadline_ns = 500 * MS
            bench.run(telling(bench, Deadlines(bench), 50), call, cut_ms=cut_ms)
            assert call.deadline_ns == 500 * MS

    def test_where_no_service_asks_nobody_is_told(self):
        bench = Bench()
        innermost = Deadlines(bench)

        bench.run(within(innermost, 50 * MS, bench.refusals, IDLE))

        assert innermost.seen_ms == [NONE]

    def test_no_timeout_is_no_layer(self):
        bench = Bench()
        innermost = Deadlines(bench)
        assert within(innermost, 0, bench.refusals, IDLE) is innermost


def run(route: dict[str, Any], **back: Any) -> ms.Result:
    """Ten requests a second through a gateway to a service of 100 ms."""
    return ms.load(
        {
            "name": "idle",
            "deployment": "gateway",
            "load": {
                "clients": {"executor": "constant-arrival-rate", "rate": "10/s", "arrivals": "even", "requests": {"all": 1}}
            },
            "gateway": {"routes": {"all": {"path": "/", "to": "back", **route}}},
            "services": {"back": {"workers": 100, "script": [{"compute": "100ms"}], **back}},
            "run": {"duration": "1s"},
        }
    ).run()


class TestIdleTimeout:
    """Envoy's stream_idle_timeout, and idle_timeout of a route: of the stream to the client, so around all tries.

    Source: Envoy, source/common/http/conn_manager_impl.cc (onStreamIdleTimeout): 504 once the request has been read to its end.
    """

    @pytest.mark.parametrize(
        ("idle", "status", "flag", "length_ms"), [("40ms", 504, "SI", 40), ("200ms", 200, "-", 100), ("none", 200, "-", 100)]
    )
    def test_it_ends_a_request_without_a_byte(self, idle, status, flag, length_ms):
        requests = run({"idle_timeout": idle}).requests

        assert set(requests["status"]) == {status}
        assert set(requests["response_flags"]) == {flag}
        assert set(requests["ended_ns"] - requests["started_ns"]) == {length_ms * MS}

    def test_it_is_not_retried_and_covers_the_tries(self):
        """Tries of 30 ms and waits of less than 1 ms: the stream to the client has been idle all the while."""
        retries = {
            "num_retries": 9,
            "retry_on": ["5xx", "reset"],
            "per_try_timeout": "30ms",
            "retry_back_off": {"base_interval": "1ms"},
        }
        result = run({"idle_timeout": "80ms", "retries": retries})

        assert set(result.requests["attempts"]) == {3}
        assert set(result.requests["response_flags"]) == {"SI"}
        assert set(result.requests["ended_ns"] - result.requests["started_ns"]) == {80 * MS}
        assert result.attempts["response_flags"].value_counts().to_dict() == {"UT": 20, "SI": 10}

    @pytest.mark.parametrize(
        ("timeout", "idle", "flag"), [("30ms", "40ms", "UT"), ("40ms", "30ms", "SI"), ("40ms", "40ms", "UT")]
    )
    def test_the_shorter_of_the_two_ends_it(self, timeout, idle, flag):
        """Of two at one instant the route's, which was set first."""
        assert set(run({"timeout": timeout, "idle_timeout": idle}).requests["response_flags"]) == {flag}

    def test_it_says_nothing_about_the_host(self):
        """The host has not failed: outlier detection counts per-try and route timeouts, and not these."""
        ejections = {}
        for name, route in (("idle", {"idle_timeout": "40ms"}), ("timeout", {"timeout": "40ms"})):
            made = ms.load(
                {
                    "name": "idle",
                    "deployment": "gateway",
                    "load": {
                        "clients": {
                            "executor": "constant-arrival-rate",
                            "arrivals": "poisson",
                            "rate": "50/s",
                            "requests": {"all": 1},
                        }
                    },
                    "gateway": {
                        "routes": {"all": {"path": "/", "to": "back", **route}},
                        "traffic": {"back": {"outlier_detection": {"consecutive_5xx": 3, "max_ejection_percent": "100%"}}},
                    },
                    "services": {"back": {"workers": 100, "replicas": 4, "script": [{"compute": "100ms"}]}},
                    "run": {"duration": "1s"},
                }
            ).run()
            ejections[name] = made.destinations["ejections"].sum()
        assert ejections["idle"] == 0 < ejections["timeout"]
