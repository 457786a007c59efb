"""Linkerd's queue before its balancer: who waits while no endpoint is ready, for how long, and what it is answered."""

from __future__ import annotations

from typing import Any

import pytest

import meshsim as ms

MS = 1_000_000


def world(**parts: Any) -> dict[str, Any]:
    """50 requests a second, through Linkerd's sidecars that take no time, to one pod that works 5 ms and fails from 10 s to 11 s."""
    scenario: dict[str, Any] = {
        "name": "linkerd-queue",
        "defaults": "linkerd-2.19",
        "deployment": "mesh",
        "load": {"steady": {"executor": "constant-arrival-rate", "rate": "50/s", "arrivals": "even", "requests": {"front": 1}}},
        "mesh": {"proxy_time": "0s", "traffic": {"back": {"failure_accrual": "consecutive"}}},
        "services": {
            "front": {"workers": 500, "async": True, "script": [{"call": "back"}]},
            "back": {"workers": 50, "script": [{"compute": "5ms"}]},
        },
        "faults": [{"at": "10s", "for": "1s", "service": "back", "errors": "100%"}],
        "run": {"duration": "15s"},
    }
    return {**scenario, **parts}


def traffic(**settings: Any) -> dict[str, Any]:
    return {"mesh": {"proxy_time": "0s", "traffic": {"back": settings}}}


def back_of(result: ms.Result) -> Any:
    """The attempts at the pod."""
    return result.attempts[result.attempts["service"] == "back"]


def counted(result: ms.Result, name: str) -> int:
    return sum(one.counts.get(name, 0) for one in result.summary().destinations)


def scaled(at: str, **parts: Any) -> dict[str, Any]:
    """The pod goes at 1 s, and there is one again at that time."""
    services = {
        "front": {"workers": 500, "async": True, "script": [{"call": "back"}]},
        "back": {
            "workers": 50, "script": [{"compute": "5ms"}],
            "scale": [{"at": "1s", "replicas": 0}, {"at": at, "replicas": 1}],
        },
    }  # fmt: skip
    return world(**{"services": services, "faults": [], "run": {"duration": "10s"}, **traffic(), **parts})


def test_with_a_breaker_only_those_fail_that_open_it_and_the_others_wait_for_the_probe():
    """linkerd/linkerd2 issue 11493: 50 fail without a breaker, 7 with one, and some 60 wait for up to 1.5 s.

    The penalty is 1 s and a random part of up to half a second; so many hundredths of a second at 50/s wait.
    """
    off = ms.load(world(**traffic())).run()
    on = ms.load(world()).run()

    assert (off.requests["status"] >= 500).sum() == 50
    assert (on.requests["status"] >= 500).sum() == 7
    waited = back_of(on)["connection_ns"]
    assert 50 <= (waited > 0).sum() <= 75
    assert 1000 * MS <= waited.max() <= 1500 * MS
    assert counted(on, "endpoint_waits") == (waited > 0).sum()
    assert counted(on, "no_host") == counted(on, "failfasts") == 0


def test_as_envoy_does_it_they_fail_at_once():
    result = ms.load(world(**traffic(failure_accrual="consecutive", balancer_queue={"failfast_timeout": "none"}))).run()

    assert 57 <= (result.requests["status"] >= 500).sum() <= 82
    assert set(back_of(result)["response_flags"]) == {"-", "error", "UH"}
    assert back_of(result)["connection_ns"].max() == 0


class TestFailingFast:
    """Nobody is ready for longer than the queue waits."""

    def test_all_who_wait_get_504_at_once_and_whoever_comes_gets_503_until_one_is_ready(self):
        """linkerd2-proxy, logical/tests/failure_accrual.rs: a FailFastError (504), then LoadShedErrors (503)."""
        tries = back_of(ms.load(scaled("5990ms")).run())
        refused = tries[tries["response_flags"] == "UH"]
        waited, late = refused[refused["status"] == 504], refused[refused["status"] == 503]

        assert set(waited["ended_ns"]) == {waited["ended_ns"].min()}
        assert waited["ended_ns"].min() == 4000 * MS  # 3 s after the first that found nobody
        assert len(waited) == 150
        assert len(late) == 100
        assert (late["ended_ns"] >= 4000 * MS).all()
        assert late["ended_ns"].max() < 5990 * MS
        assert (late["connection_ns"] == 0).all()
        assert (tries[tries["ended_ns"] > 6000 * MS]["status"] == 200).all()

    def test_where_one_is_ready_in_time_nobody_fails(self):
        result = ms.load(scaled("3900ms")).run()

        assert set(result.requests["status"]) == {200}
        assert counted(result, "failfasts") == 0

    @pytest.mark.parametrize(("settings", "first_failure_ms"), [({"failfast_timeout": "500ms"}, 1500), ({"capacity": 9}, 1200)])
    def test_both_of_its_settings(self, settings, first_failure_ms):
        """Beside the nine in the queue one is in the worker's hand: the eleventh of 50/s comes 200 ms after the first."""
        tries = back_of(ms.load(scaled("5990ms", **traffic(balancer_queue=settings))).run())

        assert tries[tries["status"] >= 500]["ended_ns"].min() == first_failure_ms * MS

    def test_each_endpoint_that_becomes_ready_begins_the_time_anew(self):
        """Probes at most 1.5 s, then 3 s after a failure, each of which fails: with 3 s of patience nobody fails fast before the second."""
        accrual = {"consecutive": {"min_penalty": "2s", "jitter_ratio": 0}}
        faults = [{"at": "10s", "for": "3s", "service": "back", "errors": "100%"}]
        settings = traffic(failure_accrual=accrual)
        tries = back_of(ms.load(world(**settings, faults=faults, run={"duration": "20s"})).run())

        failing = tries[tries["response_flags"] == "UH"]
        probes = tries[(tries["response_flags"] == "error")]["ended_ns"].sort_values() / MS
        shut_ms = 10_125  # the seventh failure
        assert probes.iloc[6:].tolist() == [shut_ms, shut_ms + 2000 + 5]
        assert failing["ended_ns"].min() / MS == shut_ms + 2000 + 3000

    def test_grpc_is_told_of_a_deadline_and_then_that_nobody_is_available(self):
        services = scaled("5990ms")["services"]
        services["back"]["protocol"] = "grpc"
        tries = back_of(ms.load(scaled("5990ms", services=services)).run())

        assert tries[tries["response_flags"] == "UH"]["status"].value_counts().to_dict() == {504: 150, 503: 100}
        front = ms.load(scaled("5990ms", services=services)).run().requests
        assert (front["status"] == 500).sum() == 250


class TestTimeouts:
    """Who ends a wait, and who does not."""

    def test_a_timeout_over_all_tries_counts_when_the_wait_is_over(self):
        """Linkerd enforces it at the endpoint. Who came 1 s or more before the pod is there again is late then, and is not sent."""
        result = ms.load(scaled("3s", **traffic(timeout="1s"))).run()
        late = result.requests[result.requests["status"] >= 500]

        assert len(late) == 51
        assert set(late["ended_ns"]) == {3000 * MS}
        assert len(back_of(result)) == len(result.requests) - 51
        assert counted(result, "timeouts") == 51

    def test_who_is_late_when_it_fails_fast_is_told_of_the_timeout(self):
        result = ms.load(scaled("5990ms", **traffic(timeout="1s"))).run()
        failed = result.requests[result.requests["status"] >= 500]

        at_once = failed[failed["ended_ns"] == 4000 * MS]["origin_flags"]

        assert ((at_once == "UT").sum(), (at_once == "UH").sum()) == (101, 50)
        assert failed["ended_ns"].min() == 4000 * MS

    def test_a_client_that_goes_leaves_at_once_and_the_time_goes_on(self):
        load = {
            "steady": {
                "executor": "constant-arrival-rate", "rate": "50/s", "arrivals": "even", "requests": {"front": 1}, "timeout": "100ms",
            }
        }  # fmt: skip
        services = scaled("5990ms")["services"]
        services["front"]["on_cancel"] = "stop"
        result = ms.load(scaled("5990ms", load=load, services=services)).run()
        gone = result.requests[result.requests["response_flags"] == "DC"]

        assert set(gone["ended_ns"] - gone["started_ns"]) == {100 * MS}
        assert len(gone) == 146  # those of the last 100 ms are failed by the queue
        assert result.requests["status"].value_counts().to_dict() == {200: 250, 0: 146, 500: 104}
        waits = result.waits[result.waits["service"] == "back"]
        assert set(waits["connection_ns"]) == {100 * MS}

    def test_a_per_try_timeout_begins_at_the_endpoint(self):
        retries = {"num_retries": 0, "per_try_timeout": "50ms"}
        result = ms.load(scaled("3s", **traffic(retries=retries))).run()

        assert set(result.requests["status"]) == {200}


def test_who_waited_in_vain_is_tried_again_and_who_is_turned_away_is_not():
    retries = {"num_retries": 2, "retry_on": ["gateway-error"]}
    tries = back_of(ms.load(scaled("5990ms", **traffic(retries=retries))).run())

    assert tries[tries["status"] == 504]["attempt"].value_counts().to_dict() == {1: 150}
    again = tries[tries["attempt"] == 2]
    assert len(again) == 150
    assert set(again["status"]) == {503}
    assert tries["attempt"].max() == 2


def test_those_who_have_waited_are_spread_as_others_are():
    """The news of two pods comes at once, 100 ms late: the balancer knows of each request that it has sent before it sends the next."""
    services = scaled("3s")["services"]
    services["back"]["scale"][1]["replicas"] = 2
    settings = traffic()
    settings["mesh"]["discovery"] = {"debounce_after": "100ms"}
    found = back_of(ms.load(scaled("3s", services=services, **settings)).run())
    burst = found[found["connection_ns"] > 0]

    assert burst["instance"].value_counts().tolist() == [50, 49]


def test_the_order_is_that_of_arrival_whoever_comes_at_the_instant():
    tries = back_of(ms.load(scaled("3s")).run())
    sent = tries[tries["sent_ns"] == 3000 * MS]

    assert sent["request_started_ns"].is_monotonic_increasing
    assert sent["request_started_ns"].max() == 3000 * MS


def test_where_nobody_is_ever_missing_it_changes_nothing():
    plain = world(faults=[], **traffic())
    without = world(faults=[], **traffic(balancer_queue={"failfast_timeout": "none"}))

    assert ms.load(plain).run().attempts.equals(ms.load(without).run().attempts)


def test_those_who_wait_are_seen_over_time():
    result = ms.load(scaled("3s")).run()
    rows = result.destinations[(result.destinations["service"] == "back") & (result.destinations["time_ns"] == 2000 * MS)]

    assert rows["pending"].sum() == 50
    assert rows["endpoint_waits"].sum() == 50


def test_who_waits_for_an_endpoint_is_not_among_the_pending():
    """No place for pending requests but the one that every request without a connection needs: nobody is refused for waiting."""
    limits = {"circuit_breakers": {"max_pending_requests": 1}}

    assert set(ms.load(scaled("3s", **traffic(**limits))).run().requests["status"]) == {200}
