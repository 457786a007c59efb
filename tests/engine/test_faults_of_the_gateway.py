"""Faults of the gateway's replicas: alone, with their zone, and what stands before them."""

from __future__ import annotations

from functools import cache
from json import dumps, loads
from typing import Any

import pytest

import meshsim as ms

MS = 1_000_000
SECOND = 1_000_000_000
Section = dict[str, Any]
GATEWAY = "(gateway)"


def scenario(faults: list[Section], gateway: Section | None = None, **parts: Any) -> Section:
    """20 users who ask, think 10 ms and ask again, for 3 s, of a gateway with 2 replicas in two zones and a service with 4."""
    load = {
        "executor": "constant-vus", "vus": 20, "think_time": "10ms", "requests": {"all": 1}, "timeout": "100ms", "zone": "a",
    }  # fmt: skip
    return {
        "name": "faults",
        "deployment": "gateway",
        "load": {"users": {**load, **parts.pop("load", {})}},
        "gateway": {
            "zones": {"a": 1, "b": 1},
            "workers": 20,
            "proxy_time": "1ms",
            "routes": {"all": {"path": "/", "to": "back", "timeout": "none"}},
            **(gateway or {}),
        },
        "services": {"back": {"zones": {"a": 2, "b": 2}, "workers": 20, "script": [{"compute": "5ms"}], **parts.pop("back", {})}},
        "network": {"same_zone": "1ms", "cross_zone": "1ms"},
        "faults": faults,
        "run": {"duration": "3s", **parts.pop("run", {})},
        **parts,
    }


@cache
def _run(text: str) -> ms.Result:
    return ms.load(loads(text)).run()


def run(*args: Any, **parts: Any) -> ms.Result:
    return _run(dumps(scenario(*args, **parts)))


def fault(**settings: Any) -> Section:
    """From 1 s to 2 s."""
    return {"at": "1s", "for": "1s", **settings}


def latency_ms(requests: Any) -> Any:
    return (requests["ended_ns"] - requests["started_ns"]) / MS


def between(rows: Any, from_s: float, until_s: float) -> Any:
    return rows[(rows["started_ns"] >= from_s * SECOND) & (rows["started_ns"] < until_s * SECOND)]


def flags(requests: Any) -> dict[str, int]:
    counts = requests["response_flags"].value_counts()
    return {str(name): int(count) for name, count in counts.items() if count}


WHOLE = 1 + 1 + 1 + 5 + 1 + 1
"""ms of a request on a connection that is there."""
NEW = {"requests_per_connection": 1}
PROBE = {"readiness": {"period": "100ms", "failure_threshold": 2}}


class TestSlow:
    def test_a_slow_replica_takes_so_many_times_as_long(self):
        requests = run([fault(service=GATEWAY, slow=5)]).requests
        assert set(latency_ms(between(requests, 0, 0.9))) == {WHOLE}
        assert set(latency_ms(between(requests, 1.05, 1.9))) == {WHOLE + 4}
        assert set(latency_ms(between(requests, 2.05, 3))) == {WHOLE}

    def test_only_the_replicas_that_are_named(self):
        requests = between(run([fault(service=GATEWAY, instances=[1], slow=5)]).requests, 1.05, 1.9)
        assert set(latency_ms(requests)) == {WHOLE, WHOLE + 4}

    def test_two_at_once_multiply(self):
        both = [fault(service=GATEWAY, slow=2), fault(service=GATEWAY, slow=3)]
        assert set(latency_ms(between(run(both).requests, 1.05, 1.9))) == {WHOLE + 5}

    def test_connections_cost_nothing_because_of_it(self):
        assert run([fault(service=GATEWAY, slow=5)]).proxies["opened"].sum() == 0


class TestCrash:
    def test_what_is_in_it_is_cut_and_what_comes_is_refused(self):
        requests = run([fault(service=GATEWAY, crash=True)]).requests
        assert flags(between(requests, 0, 0.9)) == {"-": len(between(requests, 0, 0.9))}
        assert set(flags(between(requests, 0.95, 1.0))) <= {"-", "UC"}
        assert set(flags(between(requests, 1.0, 1.98))) == {"UF"}
        assert set(flags(between(requests, 2.0, 3))) == {"-"}

    def test_the_balancer_goes_on_sending_there_where_nobody_probes(self):
        requests = between(run([fault(service=GATEWAY, instances=[0], crash=True)], load=NEW).requests, 1.1, 1.9)
        refused = flags(requests)["UF"]
        assert refused / len(requests) > 0.4  # a refused one comes back sooner than one that is served

    def test_it_sends_nothing_there_once_two_probes_have_failed(self):
        result = run([fault(service=GATEWAY, instances=[0], crash=True)], PROBE, load=NEW)
        assert "UF" in flags(between(result.requests, 1.0, 1.1))
        assert set(flags(between(result.requests, 1.21, 1.99))) == {"-"}

    def test_it_is_used_again_after_one_probe(self):
        result = run([fault(service=GATEWAY, instances=[0], crash=True)], PROBE, load=NEW)
        late = result.attempts[result.attempts["sent_ns"] > 2.15 * SECOND]
        assert set(late["proxy"]) == {0, 1}

    def test_an_open_load_without_an_edge_gets_one(self):
        load = {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "200/s", "requests": {"all": 1}, "zone": "a"}
        made = scenario([fault(service=GATEWAY, replicas=2, crash=True)])
        made["load"] = {"users": load}
        assert set(flags(between(ms.load(made).run().requests, 1.1, 1.9))) == {"UF"}

    def test_a_new_process_remembers_nothing(self):
        """A bucket that never fills again: 50 requests pass at the start, and 50 after the crash."""
        bucket = {"token_bucket": {"max_tokens": 50, "tokens_per_fill": 1, "fill_interval": "1h"}}
        gateway = {"zones": {"a": 1}, "filters": [{"rate_limit": bucket}], "zone": None}
        requests = run([fault(service=GATEWAY, crash=True)], gateway, run={"cold_start": True}).requests
        assert flags(between(requests, 0, 0.9))["-"] == 50
        assert flags(between(requests, 2, 3))["-"] == 50

    def test_a_new_process_has_ejected_nobody(self):
        outliers = {"consecutive_5xx": 1, "base_ejection_time": "1h", "interval": "1h", "max_ejection_percent": "100%"}
        gateway = {"zones": {"a": 1}, "traffic": {"back": {"outlier_detection": outliers, "healthy_panic_threshold": "0%"}}}
        ill = {"at": "0s", "for": "500ms", "service": "back", "instances": [0], "errors": "100%"}
        result = run([ill, fault(service=GATEWAY, crash=True)], gateway)
        sent = result.attempts[result.attempts["instance"] == 0]["sent_ns"]
        assert not ((sent > 0.5 * SECOND) & (sent < 2 * SECOND)).any()
        assert (sent > 2 * SECOND).any()

    def test_a_new_process_has_a_closed_breaker(self):
        """It opens while the service fails, and would stay open for an hour; what was under way then is no evidence for the next process."""
        breaker = {"minimum_number_of_calls": 10, "sliding_window_size": 10, "wait_duration_in_open_state": "1h"}
        gateway = {"zones": {"a": 1}, "traffic": {"back": {"circuit_breaker": breaker}}}
        ill = {"at": "0s", "for": "500ms", "service": "back", "errors": "100%"}
        requests = run([ill, fault(service=GATEWAY, crash=True)], gateway).requests
        assert set(flags(between(requests, 0.5, 0.9))) == {"circuit_open"}
        assert set(flags(between(requests, 2.05, 3))) == {"-"}

    def test_a_new_process_has_a_full_token_budget(self):
        """A bucket of 50 retries that no success fills: spent in the first second, and again after the crash."""
        retries = {"num_retries": 1, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "1ms"}}
        traffic = {"retries": retries, "retry_token_budget": {"retry_quota": {"capacity": 250, "retry_cost": 5}}}
        gateway = {"zones": {"a": 1}, "traffic": {"back": traffic}}
        attempts = run([fault(service=GATEWAY, crash=True)], gateway, back={"errors": "100%"}).attempts
        tries = attempts[attempts["attempt"] > 1]
        assert ((tries["sent_ns"] > 0) & (tries["sent_ns"] < 1 * SECOND)).sum() == 50
        assert (tries["sent_ns"] > 2 * SECOND).sum() == 50

    def test_a_new_process_has_no_connections(self):
        gateway = {"zones": {"a": 1}, "traffic": {"back": {"connections": {"protocol": "http1"}}}}
        opened = run([fault(service=GATEWAY, crash=True)], gateway).destinations.set_index("time_ns")["opened"]
        assert opened[opened.index <= 1 * SECOND].sum() >= 20
        assert opened[opened.index > 2 * SECOND].sum() >= 4

    def test_sessions_outlive_it(self):
        """The cookie is the client's: after the crash each user is where it was before."""
        route = {"path": "/", "to": "back", "session_persistence": {}}
        attempts = run([fault(service=GATEWAY, crash=True)], {"routes": {"all": route}}).attempts
        sent = attempts[attempts["instance"] >= 0].merge(
            run([fault(service=GATEWAY, crash=True)], {"routes": {"all": route}}).requests[["request", "user"]], on="request"
        )
        assert (sent.groupby("user")["instance"].nunique() == 1).all()

    @pytest.mark.parametrize(("retry_on", "is_saved"), [("connect-failure", True), ("reset", True), ("retriable-4xx", False)])
    def test_a_client_sees_that_its_connection_was_refused(self, retry_on, is_saved):
        """The client's own connection to the gateway, not one behind it."""
        load = {**NEW, "retries": {"num_retries": 5, "retry_on": [retry_on], "retry_back_off": {"base_interval": "1ms"}}}
        requests = between(run([fault(service=GATEWAY, instances=[0], crash=True)], load=load).requests, 1.1, 1.9)
        assert (flags(requests).get("UF", 0) / len(requests) < 0.1) is is_saved

    def test_it_does_not_see_one_behind_the_gateway(self):
        load = {"retries": {"num_retries": 2, "retry_on": ["connect-failure"]}}
        requests = between(run([fault(service="back", crash=True)], load=load).requests, 1.1, 1.9)
        assert set(requests["attempts"]) == {1}

    def test_a_crash_during_a_rolling_restart_lasts_as_long_as_the_longer(self):
        gateway = {"restarts": [{"at": "1.2s", "batch": 2}], "startup_time": "300ms"}
        requests = run([fault(service=GATEWAY, crash=True)], gateway).requests
        assert set(flags(between(requests, 1.05, 1.99))) == {"UF"}
        assert set(flags(between(requests, 2.0, 3))) == {"-"}


class TestUnreachable:
    def test_clients_wait_for_their_own_timeout(self):
        requests = between(run([fault(service=GATEWAY, unreachable=True)]).requests, 1.0, 1.85)
        assert flags(requests) == {"DC": len(requests)}
        assert set(latency_ms(requests)) == {100}

    def test_all_is_well_again_afterwards(self):
        requests = run([fault(service=GATEWAY, unreachable=True)]).requests
        assert set(flags(between(requests, 2.0, 3))) == {"-"}

    def test_answers_to_what_was_in_it_are_lost(self):
        requests = run([{**fault(service=GATEWAY, unreachable=True), "at": "1005ms"}]).requests
        caught = requests[(requests["started_ns"] < SECOND + 4 * MS) & (requests["ended_ns"] > SECOND + 6 * MS)]
        assert len(caught)
        assert flags(caught) == {"DC": len(caught)}

    def test_the_balancer_notices_by_its_probe(self):
        result = run([fault(service=GATEWAY, instances=[0], unreachable=True)], PROBE, load=NEW)
        assert set(flags(between(result.requests, 1.31, 1.99))) == {"-"}


class TestZones:
    def test_a_zone_that_is_down_takes_the_gateways_replicas_in_it(self):
        traffic = {
            "traffic": {
                "back": {
                    "health_checks": {"interval": "50ms", "timeout": "50ms", "unhealthy_threshold": 1, "healthy_threshold": 1}
                }
            }
        }
        requests = run([fault(zone="a", crash=True)], {**traffic, **PROBE}, load=NEW).requests
        assert "UF" in flags(between(requests, 1.0, 1.2))
        assert set(run([fault(zone="a", crash=True)], {**traffic, **PROBE}, load=NEW).attempts.query(
            "1_300_000_000 < sent_ns < 1_950_000_000")["proxy"]) == {1}  # fmt: skip

    def test_a_slow_zone_slows_them(self):
        requests = between(run([fault(zone="b", slow=3)]).requests, 1.05, 1.9)
        assert set(latency_ms(requests)) == {WHOLE, WHOLE + 2, WHOLE + 10, WHOLE + 12}  # one of them, both, none

    def test_errors_of_a_zone_are_its_services(self):
        attempts = run([fault(zone="b", errors="100%")]).attempts
        failing = attempts[attempts["status"] != 200]
        assert set(failing["instance"]) == {2, 3}
        assert set(failing["response_flags"]) == {"error"}

    def test_a_zone_without_a_replica_of_the_gateway_leaves_its_connections_alone(self):
        result = run([fault(zone="b", crash=True)], {"zones": {"a": 1}})
        assert result.proxies["opened"].sum() == 0


class TestWords:
    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"service": GATEWAY, "crash": True}, "the gateway down"),
            ({"service": GATEWAY, "replicas": 1, "slow": 3}, "1 of the gateway 3x slower"),
            ({"service": GATEWAY, "instances": [1], "unreachable": True}, "the gateway/1 unreachable"),
            ({"zone": "a", "crash": True}, "everything in a down"),
            ({"zone": "a", "errors": "5%"}, "all services in a 5 % errors"),
            ({"service": "back", "errors": {"rate": "30%", "latency": "1ms"}}, "back 30 % errors at once"),
        ],
    )
    def test_charts_say_whom_a_fault_strikes_and_how(self, settings, words):
        (made,) = ms.load(scenario([fault(**settings)])).scenario.faults
        assert made.words == words
