"""What a mesh does between two services, to the nanosecond where nothing is left to chance; and that no setting is inert."""

from __future__ import annotations

from typing import Any

import pytest

import meshsim as ms

MS = 1_000_000


def run(
    traffic: dict[str, Any] | None = None,
    back: dict[str, Any] | None = None,
    mesh: dict[str, Any] | None = None,
    load: dict[str, Any] | None = None,
    duration: str = "2s",
    **rest: Any,
) -> ms.Result:
    """A client, a front and a back in a mesh without time of its own: 1 ms each way, 10 ms of work, ten requests a second."""
    return ms.load(
        {
            "name": "mechanism",
            "deployment": "mesh",
            "load": {
                "clients": {
                    "executor": "constant-arrival-rate",
                    "arrivals": "even",
                    "rate": "10/s",
                    "requests": {"front": 1},
                    **(load or {}),
                }
            },
            "mesh": {"traffic": {"back": traffic or {}}, **(mesh or {})},
            "services": {
                "front": {"workers": 1000, "script": [{"call": "back"}]},
                "back": {"workers": 100, "script": [{"compute": "10ms"}], **(back or {})},
            },
            "network": {"same_zone": "1ms"},
            "run": {"duration": duration, "interval": "100ms"},
            **rest,
        }
    ).run()


def latencies_ms(result: ms.Result) -> list[float]:
    return [latency * 1e3 for latency in result.requests["latency_s"].round(9)]


def counted(result: ms.Result, column: str, service: str = "back") -> int:
    rows = result.destinations
    return int(rows.loc[rows["service"] == service, column].sum())


BASE_MS = 14.0
"""Two links there and back, and 10 ms of work."""


LOST = {"faults": [{"at": "0s", "for": "1h", "service": "back", "unreachable": True}]}

LEAVING = {"replicas": 2, "scale": [{"at": "1s", "replicas": 1}], "termination_grace_period": "0s"}

CRASH = {"faults": [{"at": "500ms", "for": "1s", "service": "back", "replicas": 1, "crash": True}]}

CHECKS = {"interval": "50ms", "timeout": "20ms", "unhealthy_threshold": 2, "healthy_threshold": 2}

BROKEN = {"back": {"errors": "100%"}}

MIXED = {
    "back": {"replicas": 2, "load_balancing_weights": [1, 1]},
    "faults": [{"at": "0s", "for": "1h", "service": "back", "replicas": 1, "slow": 20}],
}


class TestConnections:
    def test_a_connection_costs_a_round_trip_and_is_kept(self):
        found = latencies_ms(run({"connections": {}}))
        assert found[0] == BASE_MS + 2
        assert set(found[1:]) == {BASE_MS}

    def test_without_reuse_each_request_pays(self):
        result = run({"connections": {"max_requests_per_connection": 1}})
        assert set(latencies_ms(result)) == {BASE_MS + 2}
        assert counted(result, "opened") == counted(result, "closed") == len(result.requests)

    def test_tls_costs_a_round_trip_and_time_at_both_ends(self):
        mtls = {"handshake_time": "3ms", "time_per_request": "0s", "time_per_kib": "0s"}
        first, second, *_ = latencies_ms(run({}, mesh={"mtls": mtls}))
        assert (first, second) == (BASE_MS + 2 + 2 + 6, BASE_MS)
        row = run({}, mesh={"mtls": mtls}).attempts
        assert row.loc[row["service"] == "back", "tls_ns"].tolist()[:2] == [8 * MS, 0]

    @pytest.mark.parametrize(
        ("change", "extra_ms"),
        [
            ({"handshake_time": "5ms"}, 4 + 10),
            ({"round_trips": 2}, 6 + 6),
            ({"round_trips": 0}, 2 + 6),
        ],
    )
    def test_every_setting_of_a_handshake_counts(self, change, extra_ms):
        assert (
            latencies_ms(
                run({}, mesh={"mtls": {"handshake_time": "3ms", "time_per_request": "0s", "time_per_kib": "0s", **change}})
            )[0]
            == BASE_MS + extra_ms
        )

    def test_a_session_is_resumed_unless_it_may_not_be(self):
        once = {"connections": {"max_requests_per_connection": 1}}
        mtls = {"handshake_time": "3ms", "resumed_handshake_time": "1ms", "time_per_request": "0s", "time_per_kib": "0s"}
        resumed = run(once, mesh={"mtls": mtls})
        full = run(once, mesh={"mtls": {**mtls, "session_resumption": False}})
        assert latencies_ms(resumed)[:2] == [BASE_MS + 10, BASE_MS + 6]
        assert latencies_ms(full)[:2] == [BASE_MS + 10, BASE_MS + 10]
        assert (counted(resumed, "resumed"), counted(full, "resumed")) == (len(resumed.requests) - 1, 0)

    def test_a_rotation_of_certificates_makes_all_anew(self):
        mtls = {"handshake_time": "3ms", "time_per_request": "0s", "time_per_kib": "0s", "certificate_rotation": ["1s"]}
        result = run({}, mesh={"mtls": mtls})
        assert counted(result, "handshakes") == 2
        assert sum(latency > BASE_MS for latency in latencies_ms(result)) == 2

    def test_encryption_costs_by_size(self):
        mtls = {"handshake_time": "0s", "time_per_request": "0s", "time_per_kib": "100us"}
        sizes = {"request_size": "4KiB", "response_size": "6KiB"}
        assert latencies_ms(run({}, mesh={"mtls": mtls}, back=sizes))[1] == BASE_MS + 2 * 1.0

    def test_encryption_takes_time_for_each_request_at_every_proxy_that_it_passes(self):
        """The sidecar of the front on the way in and on the way out, and that of the back."""
        mtls = {"handshake_time": "0s", "time_per_request": "1ms", "time_per_kib": "0s"}
        assert latencies_ms(run({}, mesh={"mtls": mtls}))[1] == BASE_MS + 3

    def test_a_new_connection_takes_time_of_the_proxies_at_both_ends(self):
        first, second, *_ = latencies_ms(run({"connections": {}}, mesh={"connection_time": "3ms"}))
        assert (first, second) == (BASE_MS + 2 + 6, BASE_MS)

    def test_connections_end_by_age_and_by_idleness(self):
        assert counted(run({"connections": {"max_connection_duration": "450ms"}}), "opened") == 4
        assert counted(run({"connections": {"idle_timeout": "50ms"}}), "opened") == 20
        assert counted(run({"connections": {}}), "opened") == 1

    def test_http2_shares_a_connection_and_http1_does_not(self):
        burst = {"rate": "1000/s"}
        http1 = run({"connections": {"protocol": "http1"}}, load=burst, duration="500ms")
        http2 = run({"connections": {"protocol": "http2"}}, load=burst, duration="500ms")
        few = run({"connections": {"protocol": "http2", "max_concurrent_streams": 4}}, load=burst, duration="500ms")
        assert counted(http2, "opened") == 1 < counted(few, "opened") < counted(http1, "opened")

    def test_at_layer_4_a_caller_keeps_the_instance_of_its_connection(self):
        pinned = {"connections": {"protocol": "http2", "balance": "connections"}}
        four = {"replicas": 4}
        rows = {name: run(traffic, back=four).attempts for name, traffic in (("pinned", pinned), ("each", {}))}
        used = {name: table.loc[table["service"] == "back", "instance"].nunique() for name, table in rows.items()}
        assert used == {"pinned": 1, "each": 4}
        more = run({"connections": {**pinned["connections"], "max_concurrent_streams": 1, "max_connections": 3}}, back=four,
                   load={"rate": "300/s"}, duration="500ms")  # fmt: skip
        assert counted(more, "opened") == 3
        assert counted(more, "pool_waits") > 0


class TestTimeouts:
    def test_a_connection_that_cannot_be_made_is_given_up(self):
        result = run({"connect_timeout": "50ms"}, **LOST)
        assert set(latencies_ms(result)) == {2 + 50.0}
        assert counted(result, "connect_timeouts") == len(result.requests)
        assert set(result.attempts.loc[result.attempts["service"] == "back", "response_flags"]) == {"UF"}

    def test_an_idle_stream_is_given_up_with_a_flag_of_its_own(self):
        result = run({"idle_timeout": "5ms"})
        rows = result.attempts[result.attempts["service"] == "back"]
        assert set(rows["response_flags"]) == {"SI"}
        assert set(rows["status"]) == {504}

    def test_the_deadline_stops_work_that_nobody_waits_for(self):
        slow = {"workers": 1, "script": [{"compute": "120ms"}]}
        work = {}
        for propagates in (False, True):
            services = {
                "front": {"workers": 1000, "script": [{"call": "back"}], "deadline_propagation": propagates},
                "back": {**slow, "deadline_propagation": propagates},
            }
            result = run(load={"timeout": "150ms"}, services=services)
            back = next(one for one in result.summary().services if one.name == "back")
            work[propagates] = (back.worked_s, back.failures_by_flag)
        assert work[True][0] < work[False][0]


class TestDiscovery:
    def stale(self, mesh=None, **back):
        return counted(run({}, back={**LEAVING, **back}, mesh=mesh, load={"rate": "100/s"}, duration="4s"), "stale_picks")

    def test_callers_know_at_once_unless_news_travel(self):
        assert self.stale() == 0
        assert self.stale({"discovery": {"propagation": "200ms"}}) > 5
        assert self.stale({"discovery": {"debounce_after": "200ms", "debounce_max": "1s"}}) > 5
        assert self.stale({"discovery": {"dns_refresh": "1500ms"}}) > 5
        assert self.stale({"discovery": {"propagation": "800ms"}}) > self.stale({"discovery": {"propagation": "200ms"}})

    def test_a_pod_that_waits_long_enough_is_not_missed(self):
        late = {"discovery": {"propagation": "200ms"}}
        lost, saved = (
            run({}, back={**LEAVING, "pre_stop": wait}, mesh=late, load={"rate": "100/s"}, duration="3s")
            for wait in ("0s", "300ms")
        )
        assert (lost.requests["status"] != 200).sum() > 5 > (saved.requests["status"] != 200).sum() == 0

    def test_an_instance_is_used_when_it_is_ready_and_not_before(self):
        rows = run({}, back={"scale": [{"at": "1s", "replicas": 2}], "startup_time": "500ms"}, load={"rate": "100/s"}).attempts
        new = rows[(rows["service"] == "back") & (rows["instance"] == 1)]
        assert 1.5e9 <= new["sent_ns"].min() < 1.6e9

    def test_what_is_left_after_the_grace_period_is_lost(self):
        back = {**LEAVING, "script": [{"compute": "400ms"}]}
        lost = {
            grace: (
                run({}, back={**back, "termination_grace_period": grace}, load={"rate": "50/s"}).attempts["response_flags"]
                == "UC"
            ).sum()
            for grace in ("100ms", "1s")
        }
        assert lost["100ms"] > 0 == lost["1s"]

    def test_a_crash_is_noticed_by_the_readiness_probe(self):
        crash = {"faults": [{"at": "500ms", "for": "2s", "service": "back", "replicas": 1, "crash": True}]}
        failed = {}
        for name, readiness in (
            ("none", None),
            ("fast", {"period": "100ms", "failure_threshold": 1}),
            ("slow", {"period": "300ms"}),
        ):
            back = {"replicas": 2, **({} if readiness is None else {"readiness": readiness})}
            failed[name] = int(
                (run({}, back=back, load={"rate": "100/s"}, duration="3s", **crash).requests["status"] != 200).sum()
            )
        assert 0 < failed["fast"] < failed["slow"] < failed["none"]

    def test_a_restart_goes_batch_by_batch(self):
        rolling = {"replicas": 4, "startup_time": "100ms", "termination_grace_period": "0s"}
        up = {}
        for batch in (1, 4):
            counters = run({}, back={**rolling, "restarts": [{"at": "500ms", "batch": batch}]}, duration="2s").counters
            up[batch] = counters[counters["service"] == "back"].groupby("time_ns")["is_up"].sum().min()
        assert up[4] == 0 < up[1]


class TestHealth:
    def failed(self, change=None, back=None, **rest):
        checks = {"health_checks": {**CHECKS, **(change or {})}, "healthy_panic_threshold": "0%"}
        result = run(checks, back={"replicas": 2, **(back or {})}, load={"rate": "200/s"}, duration="3s", **(rest or CRASH))
        return int((result.requests["status"] != 200).sum())

    def test_checks_take_out_who_does_not_answer(self):
        without = int(
            (run({}, back={"replicas": 2}, load={"rate": "200/s"}, duration="3s", **CRASH).requests["status"] != 200).sum()
        )
        assert 0 < self.failed() < without / 3

    def test_every_setting_counts(self):
        assert self.failed({"interval": "200ms"}) > self.failed() < self.failed({"unhealthy_threshold": 6})
        late, soon = (
            run(
                {"health_checks": {**CHECKS, "healthy_threshold": threshold}}, back={"replicas": 2}, load={"rate": "200/s"},
                duration="3s", **CRASH,
            ).attempts
            for threshold in (10, 1)
        )  # fmt: skip
        first_back = [
            rows[(rows["service"] == "back") & (rows["instance"] == 0) & (rows["sent_ns"] > 1.5e9)]["sent_ns"].min()
            for rows in (late, soon)
        ]
        assert first_back[0] > first_back[1]

    def test_an_overloaded_instance_fails_only_checks_that_need_a_worker(self):
        busy = {"replicas": 2, "workers": 1, "script": [{"compute": "30ms"}]}
        changes = {}
        for uses_worker in (False, True):
            traffic = {"health_checks": {**CHECKS, "uses_worker": uses_worker}}
            changes[uses_worker] = counted(run(traffic, back=busy, load={"rate": "200/s"}, duration="2s"), "health_changes")
        assert changes[True] > changes[False] == 0

    def test_a_slow_answer_is_a_failure_when_the_timeout_is_short(self):
        assert self.failed({"timeout": "1ms"}, faults=[]) > 0 == self.failed({"timeout": "20ms"}, faults=[])


class TestShares:
    def test_a_split_is_by_weight_and_tries_stay_where_they_were_sent(self):
        back = {"subsets": {"v1": 1, "v2": 1}, "replicas": 2, "errors": "100%"}
        result = run({"split": {"v1": 90, "v2": 10}, "retries": {"num_retries": 2, "retry_on": ["5xx"]}}, back=back,
                     load={"rate": "500/s"})  # fmt: skip
        rows = result.attempts[result.attempts["service"] == "back"]
        assert (rows["instance"] == 0).mean() == pytest.approx(0.9, abs=0.03)
        assert (rows.groupby("request")["instance"].nunique() == 1).all()

    def test_a_mirror_copies_and_nobody_waits_for_the_copies(self):
        services = {
            "front": {"workers": 1000, "script": [{"call": "back"}]},
            "back": {"workers": 100, "script": [{"compute": "10ms"}]},
            "shadow": {"workers": 100, "script": [{"compute": "500ms"}], "errors": "100%"},
        }
        for share, copies in (("100%", 200), ("25%", 50)):
            result = run({"mirror": {"to": "shadow", "share": share}}, load={"rate": "100/s"}, services=services)
            sent = result.attempts[result.attempts["service"] == "shadow"]
            assert set(latencies_ms(result)) == {BASE_MS}
            assert len(sent) == counted(result, "mirrored") == pytest.approx(copies, abs=4 * (200 * 0.25 * 0.75) ** 0.5)
            assert set(sent["request"]) == {-1}


class TestGuards:
    def test_an_open_breaker_answers_at_once(self):
        result = run({"circuit_breaker": {"minimum_number_of_calls": 5}}, **BROKEN)
        flags = result.attempts.loc[result.attempts["service"] == "back", "response_flags"].tolist()
        assert flags[:5] == ["error"] * 5
        assert set(flags[5:]) == {"circuit_open"}
        assert counted(result, "breaker_rejected") == len(flags) - 5
        assert result.destinations["breakers_open"].max() == 1

    def test_throttling_and_limits_hold_back(self):
        throttled = run({"client_throttling": {}}, load={"rate": "100/s"}, **BROKEN)
        limited = run({"concurrency_limit": {"fixed": {"limit": 1}}}, load={"rate": "500/s"})
        assert counted(throttled, "throttled") > 100
        assert counted(limited, "limited") > 500

    def test_a_dead_pool_is_no_host(self):
        result = run({"failure_accrual": {"consecutive": {"max_failures": 3}}}, **BROKEN)
        assert "UH" in set(result.attempts["response_flags"])
        assert counted(result, "no_host") > 0


class TestHedging:
    def run(self, **hedge):
        return run({"hedge_policy": hedge, "load_balancer": "round_robin"}, load={"rate": "50/s"}, duration="4s", **MIXED)

    def test_a_hedge_after_a_delay_beats_a_slow_instance(self):
        result = self.run(delay="20ms")
        assert set(latencies_ms(result)) <= {BASE_MS, BASE_MS + 20}
        hedges = counted(result, "hedges")  # each takes the other instance's turn; the first request may have met the fast one
        assert hedges in (len(result.requests), len(result.requests) - 1)
        assert counted(result, "hedges_won") > 0
        assert counted(self.run(delay="250ms"), "hedges") == 0

    def test_a_hedge_at_a_quantile_learns_when_it_is_late(self):
        late = [latency for latency in latencies_ms(self.run(quantile="40%"))[-50:] if latency > BASE_MS]
        assert late
        assert sorted(late)[len(late) // 2] < 60

    def test_losers_are_cancelled_or_run_on(self):
        for cancels in (True, False):
            result = self.run(delay="20ms", cancel=cancels)
            losers = result.attempts[(result.attempts["service"] == "back") & (result.attempts["instance"] == 0)]
            assert (losers["response_flags"] == "DC").any() == cancels

    def test_no_more_hedges_than_allowed(self):
        broken = {"back": {"replicas": 2}, "faults": [{"at": "0s", "for": "1h", "service": "back", "slow": 20}]}
        tries = {
            most: run({"hedge_policy": {"delay": "20ms", "max_hedges": most}}, **broken).attempts["attempt"].max()
            for most in (1, 3)
        }
        assert tries == {1: 2, 3: 4}


class TestModes:
    def test_sidecars_twice_node_proxies_twice_and_a_waypoint_once(self):
        proxy = {"proxy_time": "2ms", "workers": 10}
        sidecars = run(mesh=proxy)
        nodes = run(mesh={"mode": "ambient", "node_proxy": proxy, "traffic": {}})
        waypoint = run(
            mesh={"mode": "ambient", "node_proxy": proxy, "waypoints": {**proxy, "services": {"back": {}}}, "traffic": {}}
        )
        inbound_of_front = 2
        assert latencies_ms(sidecars)[1] == BASE_MS + inbound_of_front + 4
        assert latencies_ms(nodes)[1] == BASE_MS + inbound_of_front + 4
        assert (
            latencies_ms(waypoint)[1] == BASE_MS + inbound_of_front + 4 + 2 + 2
        )  # its own time, and a further link there and back

    def test_only_a_waypoint_retries(self):
        failing = {"errors": "50%"}
        traffic = {"back": {"retries": {"num_retries": 5, "retry_on": ["5xx"]}}}
        with_one = run(back=failing, mesh={"mode": "ambient", "waypoints": {"services": {"back": {}}}, "traffic": traffic})
        without = run(back=failing, mesh={"mode": "ambient", "traffic": {}})
        assert (with_one.requests["status"] == 200).all()
        assert not (without.requests["status"] == 200).all()

    def test_instances_of_a_node_share_its_proxy(self):
        proxies = {}
        for each in (1, 4):
            mesh = {"mode": "ambient", "node_proxy": {"instances_per_node": each}, "traffic": {}}
            proxies[each] = run(back={"replicas": 3}, mesh=mesh).proxies["instance"].nunique()
        assert proxies == {1: 4, 4: 1}

    @pytest.mark.parametrize(
        ("telemetry", "extra_ms"),
        [
            ({"stats": True, "stats_time": "1ms"}, 3),
            ({"access_log": True, "access_log_time": "2ms"}, 6),
            ({"trace_sampling": "100%", "trace_time": "1ms"}, 3),
            ({"trace_sampling": "0%", "trace_time": "1ms"}, 0),
        ],
    )
    def test_observing_costs_time_at_each_of_three_sidecars(self, telemetry, extra_ms):
        assert latencies_ms(run(mesh={"telemetry": telemetry}))[1] == BASE_MS + extra_ms


def test_load_reports_make_a_difference_and_stale_ones_a_smaller_one():
    uneven = {"replicas": 4, "workers": 1, "script": [{"compute": {"exponential": {"mean": "8ms"}}}]}
    mean = {}
    for name, balancer in (
        ("random", "random"),
        ("fresh", {"least_reported_load": {"report_interval": "5ms"}}),
        ("herd", {"least_reported_load": {"report_interval": "500ms", "choice_count": 30}}),
    ):
        result = run({"load_balancer": balancer}, back=uneven, load={"rate": "400/s", "arrivals": "poisson"}, duration="10s")
        mean[name] = result.requests["latency_s"].mean()
    assert mean["fresh"] < mean["random"] < mean["herd"]


@pytest.mark.parametrize(("hash_on", "homes"), [("user", 1), ("key", 1), ("consumer", 4), (None, 4)])
def test_a_hash_keeps_together_what_belongs_together(hash_on, homes):
    """Of a load without a consumer nothing is hashed: any host, as for Envoy's hash of a header that is not there."""
    load = {"executor": "constant-vus", "vus": 1, "think_time": "5ms", "keys": {"count": 1}}
    result = ms.load(
        {
            "name": "hashed",
            "deployment": "gateway",
            "load": {"one": {"requests": {"all": 1}, **load}},
            "gateway": {
                "routes": {"all": {"path": "/", "to": "back"}},
                "traffic": {"back": {"load_balancer": "ring_hash", **({} if hash_on is None else {"hash_on": hash_on})}},
            },
            "services": {"back": {"replicas": 4, "script": [{"compute": "1ms"}]}},
            "run": {"duration": "2s"},
        }
    ).run()
    assert result.attempts["instance"].nunique() == homes
