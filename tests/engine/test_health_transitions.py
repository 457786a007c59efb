"""Where the states of a host's health touch: ejected, failing its checks, new, draining; what each transition does to the others.

Every right value is Envoy's, by its source; docs/model.md has the table, "Pairs that touch".
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from control_bench import ROUND_MS, Bench, check, fault, lifecycle

import meshsim as ms
from meshsim.engines.reference.layers.pick import Chooser
from meshsim.engines.reference.travel.call import Call
from meshsim.engines.reference.travel.request import Request
from meshsim.engines.reference.travel.session import Session
from meshsim.plan import NONE, HashOn, Persistence
from meshsim.policies.outlier_detection import OutlierDetection

FOR_EVER = 1e9
SECOND = 1000
"""In ms."""


def detection(**settings: Any) -> OutlierDetection:
    given = {
        "interval": "10s",
        "base_ejection_time": "30s",
        "max_ejection_percent": 1.0,
        "enforcing_success_rate": 0.0,
        "phase": 0,
    }
    return OutlierDetection(**{**given, **settings})


def fail(bench: Bench, at_ms: float, index: int = 0, times: int = 5) -> None:
    """Requests of the first caller to an instance fail."""
    endpoint = bench.view.endpoints[index]
    bench.at(at_ms, lambda: [bench.view.notice(endpoint, 503, -1, 0, 0) for _ in range(times)])


def over_time(bench: Bench, until_ms: int, what: Any, step_ms: float = 1.0) -> list[tuple[float, Any]]:
    """What a function says, whenever it says something new; looked at each ms."""
    seen: list[tuple[float, Any]] = []

    def look(at_ms: float) -> None:
        said = what()
        if not seen or seen[-1][1] != said:
            seen.append((at_ms, said))

    for number in range(int(until_ms / step_ms)):
        bench.at((number + 0.5) * step_ms, lambda at_ms=(number + 0.5) * step_ms: look(at_ms))  # type: ignore[misc]
    bench.run(until_ms)
    return seen


class TestPassedChecks:
    """`successful_active_health_check_uneject_host`."""

    def ejected(self, until_ms: int = 400, faults: Any = (), **settings: Any) -> list[tuple[float, Any]]:
        bench = Bench(check=check(healthy_threshold=2), faults=faults, outliers=detection(**settings))
        fail(bench, 100)
        return over_time(bench, until_ms, lambda: bench.view.endpoints[0].is_ejected)

    def test_every_check_that_is_passed_ends_an_ejection_not_only_one_that_changes_anything(self) -> None:
        before, out, back = self.ejected()

        assert (before[1], out[1], back[1]) == (False, True, False)
        assert out[0] == pytest.approx(100, abs=1)
        assert 100 < back[0] <= 101 + ROUND_MS

    def test_it_is_a_setting(self) -> None:
        assert [said for _, said in self.ejected(successful_active_health_check_uneject_host=False)] == [False, True]

    def test_a_host_that_fails_its_checks_stays_out_until_it_passes_as_many_as_it_must(self) -> None:
        """Down until 1 s: the second success after that ends both."""
        bench = Bench(check=check(healthy_threshold=2), faults=(fault(0, 1000, 0),), outliers=detection())
        fail(bench, 100)
        flags = over_time(bench, 1500, lambda: (bench.view.endpoints[0].is_passing, bench.view.endpoints[0].is_ejected))

        assert [said for _, said in flags] == [(True, False), (False, False), (False, True), (True, False)]
        assert 1000 + ROUND_MS <= flags[-1][0] <= 1002 + 2 * ROUND_MS

    def test_failures_are_counted_anew(self) -> None:
        bench = Bench(check=check(), outliers=detection())
        fail(bench, 100, times=5)
        fail(bench, 100.5, times=3)  # while it is out: in a panic, or on the way still
        fail(bench, 200, times=4)
        seen = over_time(bench, 400, lambda: bench.view.endpoints[0].is_ejected)

        assert [said for _, said in seen] == [False, True, False]

    def test_the_multiplier_stays_and_falls_at_sweeps_only(self) -> None:
        """Ejected at 0, 100 and 200 ms by failures, let back by checks: the fourth time without checks it is out four times the base."""
        made = detection(base_ejection_time="1s", interval="100s").build(hosts=2)
        for second in (0, 1, 2):
            for _ in range(5):
                made.record(0, second * 10**9, 503, -1, 0, _never)
            assert made.pass_check(0, second * 10**9 + 1)
        for _ in range(5):
            made.record(0, 3 * 10**9, 503, -1, 0, _never)

        made.sweep(6 * 10**9, _never)
        assert made.is_ejected(0)
        made.sweep(7 * 10**9, _never)
        assert not made.is_ejected(0)

    def test_the_workers_hear_of_it_through_the_merge_window(self) -> None:
        """Ejected and told at 100 ms; back by the next check, of which they hear a window after that check."""
        bench = Bench(check=check(), outliers=detection(), merge_window_ns=10**9)
        fail(bench, 100)
        seen = over_time(bench, 1500, lambda: (bench.view.endpoints[0].is_well, bench.view.endpoints[0].is_healthy))

        assert [said for _, said in seen] == [(True, True), (False, False), (True, False), (True, True)]
        assert seen[3][0] - seen[2][0] == pytest.approx(1000, abs=1)

    def test_a_check_that_ends_both_is_told_twice_so_that_the_workers_hear_of_it_a_window_later(self) -> None:
        """Envoy makes its lists anew for the check before the ejection ends: that update goes out at once and brings nothing."""
        bench = Bench(check=check(), faults=(fault(0, 3000, 0),), outliers=detection(), merge_window_ns=10**9)
        fail(bench, 100)
        seen = over_time(bench, 5000, lambda: (bench.view.endpoints[0].is_well, bench.view.endpoints[0].is_healthy), 5)

        well, told = seen[-2:]
        assert (well[1], told[1]) == ((True, False), (True, True))
        assert told[0] - well[0] == pytest.approx(1000, abs=5)

    def test_a_host_that_passes_its_checks_and_fails_its_requests_gets_half_of_its_share_for_ever(self) -> None:
        """Envoy issues 28303 and 32442: one of five, checks each 2 s: about 10 % errors, and hardly any with ejection alone."""
        assert 0.08 < errors_of_a_pretender(CHECKS) < 0.12
        assert errors_of_a_pretender(None) < 0.01
        kept = {"successful_active_health_check_uneject_host": False}
        assert errors_of_a_pretender(CHECKS, kept) < 0.01


CHECKS = {"interval": "2s", "timeout": "1s", "unhealthy_threshold": 2, "healthy_threshold": 1}


class _Never:
    """Chance that is never asked."""

    def uniform(self) -> float:
        raise AssertionError

    def below(self, n: int) -> int:
        raise AssertionError(n)


_never = _Never()


def errors_of_a_pretender(checks: dict[str, Any] | None, settings: dict[str, Any] | None = None) -> float:
    outliers = {"base_ejection_time": "300s", "max_ejection_percent": "50%", "enforcing_success_rate": "0%", **(settings or {})}
    result = ms.load(
        {
            "name": "pretender",
            "defaults": "envoy-1.40",
            "deployment": "gateway",
            "load": {
                "users": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "50/s", "requests": {"all": 1}}
            },
            "gateway": {
                "proxy_time": "0s",
                "routes": {"all": {"path": "/", "to": "back"}},
                "traffic": {"back": {"outlier_detection": outliers, "health_checks": checks}},
            },
            "services": {"back": {"replicas": 5, "workers": 50, "script": [{"compute": "5ms"}]}},
            "faults": [{"at": "0s", "for": "1h", "service": "back", "instances": [0], "errors": "100%"}],
            "run": {"duration": "80s", "interval": "10s", "seed": 5},
        }
    ).run()
    return float((result.requests["status"] != 200).mean())


class TestTold:
    """The merge window and the two other things that change a list of hosts."""

    def test_a_new_host_that_is_checked_is_used_a_window_after_it_has_passed(self) -> None:
        """It is there, and unhealthy, at 100 ms: that update is told at once and begins a window; it passes 2 ms later."""
        bench = Bench(life=lifecycle(1, scale=[(100, 2)]), check=check(), merge_window_ns=10**9)
        seen = over_time(bench, 1500, bench.healthy)

        assert [said for _, said in seen] == [[0], [0, 1]]
        assert seen[1][0] == pytest.approx(1102, abs=1)

    def test_one_that_leaves_takes_along_the_news_of_another_that_waited(self) -> None:
        bench = Bench(places=3, life=lifecycle(3, scale=[(500, 2)]), outliers=detection(), merge_window_ns=10**9)
        fail(bench, 100, 0)
        fail(bench, 200, 1)
        seen = over_time(bench, 800, bench.healthy)

        assert [(round(at_ms, -1), said) for at_ms, said in seen] == [(0, [0, 1, 2]), (100, [1, 2]), (500, [])]

    def test_but_not_of_one_of_another_priority(self) -> None:
        life = lifecycle(3, scale=[(500, 2)])
        bench = Bench(places=3, life=life, outliers=detection(), merge_window_ns=10**9, priorities=(0, 0, 1))
        fail(bench, 100, 0)
        fail(bench, 200, 1)
        seen = over_time(bench, 1500, bench.healthy)

        assert [(round(at_ms, -2), said) for at_ms, said in seen] == [(0, [0, 1, 2]), (100, [1, 2]), (500, [1]), (1200, [])]

    def test_hosts_that_come_back_in_one_sweep_are_told_one_by_one(self) -> None:
        """All three are out 50 ms at least; the sweep at 10 s lets them back."""
        bench = Bench(places=3, outliers=detection(base_ejection_time="50ms"), merge_window_ns=10**9)
        for index in range(3):
            fail(bench, 100, index)
        seen = over_time(bench, 12_000, lambda: len(bench.healthy()), 10)

        assert [said for _, said in seen] == [3, 2, 0, 1, 3]
        assert [at_ms for at_ms, _ in seen[1:]] == pytest.approx([100, 1100, 10_000, 11_000], abs=11)

    def test_which_of_them_is_the_first_is_each_proxys_own(self) -> None:
        """The order of a hash map. Three hosts, 60 proxies: 20 each, within 4 standard deviations (false alarm 1 in 5,000)."""
        bench = Bench(places=3, callers=60, outliers=detection(base_ejection_time="50ms"), merge_window_ns=10**9)
        for view in bench.views:
            bench.at(100, lambda view=view: [view.notice(one, 503, -1, 0, 0) for one in view.endpoints for _ in range(5)])  # type: ignore[misc]
        first: list[int] = []
        bench.at(10_500, lambda: first.extend(index for view in bench.views for index in bench.healthy(view)))
        bench.run(10_600)

        assert len(first) == 60
        assert all(abs(count - 20) <= 4 * (60 * 2 / 9) ** 0.5 for count in Counter(first).values())


class TestSweeps:
    """When outlier detection looks: a phase of each proxy's own, and up to a tick late."""

    def back_ms(self, callers: int, until_ms: int = 1100, tick_ms: float = 4, **settings: Any) -> list[float]:
        """When a host that may come back at the first sweep after 1 ms does, by caller."""
        bench = Bench(callers=callers, tick_ms=tick_ms, outliers=detection(interval="1s", base_ejection_time="1ms", **settings))
        back: dict[int, float] = {}

        def look(at_ms: float) -> None:
            for number, view in enumerate(bench.views):
                if not view.endpoints[0].is_ejected:
                    back.setdefault(number, at_ms)

        for view in bench.views:
            bench.at(0, lambda view=view: [view.notice(view.endpoints[0], 503, -1, 0, 0) for _ in range(5)])  # type: ignore[misc]
        for at_ms in range(1, until_ms):
            bench.at(at_ms + 0.9, lambda at_ms=at_ms: look(at_ms + 0.9))  # type: ignore[misc]
        bench.run(until_ms)
        return [back[number] for number in sorted(back)]

    def test_each_proxy_sweeps_at_a_phase_of_its_own(self) -> None:
        """Uniform over the interval: of 80, 20 in each quarter within 4 standard deviations (false alarm 1 in 4,000)."""
        times = self.back_ms(80, phase=None)

        assert len(set(times)) > 70
        quarters = Counter(int(at_ms // 250) for at_ms in times if at_ms < 1000)
        assert all(abs(quarters[number] - 20) <= 4 * 15**0.5 for number in range(4))

    def test_a_phase_that_is_given_is_that_of_all(self) -> None:
        times = self.back_ms(20, phase="300ms")

        assert all(300 <= at_ms <= 305 for at_ms in times)
        assert len(set(times)) > 1  # each is late by a time of its own

    @pytest.mark.parametrize(("tick_ms", "latest_ms"), [(0, 301), (4, 305), (50, 351)])
    def test_how_late_it_may_be_is_the_tick_of_the_proxys_clock(self, tick_ms: float, latest_ms: float) -> None:
        """`timer_resolution`. Of 20 sweeps each uniform over the tick the latest is in its last quarter but 1 time in 300."""
        times = self.back_ms(20, tick_ms=tick_ms, phase="300ms")

        assert latest_ms - 1 - tick_ms / 4 <= max(times) <= latest_ms
        assert len(set(times)) > 1 or not tick_ms

    def test_an_interval_lasts_whole_ticks(self) -> None:
        """30 ms are four ticks of 8 ms: the tenth sweep comes after 320 ms and up to a tick, not 300."""
        bench = Bench(tick_ms=8, outliers=detection(interval="30ms", base_ejection_time="319ms", phase=0))
        fail(bench, 0.6)
        out = over_time(bench, 400, lambda: bench.view.endpoints[0].is_ejected)

        assert [said for _, said in out] == [False, True, False]
        assert 320 <= out[-1][0] <= 329

    def test_a_host_that_comes_back_and_is_ejected_again_by_one_sweep_is_counted(self) -> None:
        """Out since 0.2 s, back at 1 s, and out again in the same look for what it answered meanwhile, as in a panic: two ejections."""
        settings = {
            "enforcing_failure_percentage": 1.0,
            "failure_percentage_minimum_hosts": 1,
            "failure_percentage_request_volume": 5,
        }
        bench = Bench(outliers=detection(interval="1s", base_ejection_time="500ms", failure_percentage_threshold=0.5, **settings))
        fail(bench, 200)
        fail(bench, 600, times=10)
        counts: list[int] = []
        for at_ms in (300, 900, 1100):
            bench.at(at_ms, lambda: counts.append(bench.view.activity.ejections))
        out = over_time(bench, 1200, lambda: bench.view.endpoints[0].is_ejected)

        assert counts == [1, 1, 2]
        assert [said for _, said in out] == [False, True]

    def test_whether_the_first_sweep_after_a_return_lowers_the_multiplier_is_chance(self) -> None:
        """Back at one sweep, ejected again after the next: out for 1 base if that lowered the multiplier, and else for 2.

        Half of the time it has come a full interval after the sweep before: of 60 proxies 30, within 4 standard deviations (1 in 16,000).
        """
        bench = Bench(callers=60, tick_ms=4, outliers=detection(interval="1s", base_ejection_time="1500ms", phase="100ms"))
        for view in bench.views:
            for at_ms in (200, 3500):  # back at 2.1 s; the next sweep is at 3.1 s
                bench.at(at_ms, lambda view=view: [view.notice(view.endpoints[0], 503, -1, 0, 0) for _ in range(5)])  # type: ignore[misc]
        early: list[bool] = []
        late: list[bool] = []
        bench.at(5500, lambda: early.extend(not view.endpoints[0].is_ejected for view in bench.views))
        bench.at(7500, lambda: late.extend(not view.endpoints[0].is_ejected for view in bench.views))
        bench.run(7600)

        assert sum(early) == pytest.approx(30, abs=4 * 15**0.5)
        assert all(late)

    def test_where_timers_are_exact_it_always_does(self) -> None:
        bench = Bench(callers=5, outliers=detection(interval="1s", base_ejection_time="1500ms", phase="100ms"))
        for view in bench.views:
            for at_ms in (200, 3500):
                bench.at(at_ms, lambda view=view: [view.notice(view.endpoints[0], 503, -1, 0, 0) for _ in range(5)])  # type: ignore[misc]
        early: list[bool] = []
        bench.at(5500, lambda: early.extend(not view.endpoints[0].is_ejected for view in bench.views))
        bench.run(5600)

        assert all(early)


def gateway(traffic: dict[str, Any], duration: str = "4s", **parts: Any) -> ms.Result:
    """A gateway without time of its own and four instances of 5 ms of work, 100 requests a second."""
    load = {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "100/s", "requests": {"all": 1}}
    return ms.load(
        {
            "name": "transitions",
            "defaults": "envoy-1.40",
            "deployment": "gateway",
            "load": {"users": {**load, **parts.pop("load", {})}},
            "gateway": {
                "proxy_time": "0s",
                "routes": {"all": {"path": "/", "to": "back", **parts.pop("route", {})}},
                "traffic": {"back": traffic},
            },
            "services": {"back": {"replicas": 4, "workers": 50, "script": [{"compute": "5ms"}], **parts.pop("back", {})}},
            "run": {"duration": duration, "interval": "100ms"},
            **parts,
        }
    ).run()


def broken(from_ms: int, for_ms: int, *instances: int, **effect: Any) -> dict[str, Any]:
    window = {"at": f"{from_ms}ms", "for": f"{for_ms}ms", "service": "back", "instances": list(instances)}
    return {**window, **(effect or {"errors": "100%"})}


def sent(result: ms.Result, from_ms: float, until_ms: float) -> Any:
    """Instances that got an attempt in a stretch of time."""
    rows = result.attempts
    return rows.loc[(rows["sent_ns"] >= from_ms * 1e6) & (rows["sent_ns"] < until_ms * 1e6), "instance"]


EJECTING = {"consecutive_5xx": 3, "base_ejection_time": "60s", "max_ejection_percent": "100%", "enforcing_success_rate": "0%"}


class TestConnections:
    """Envoy drains the pools of a host whose health fails in that instant: postThreadLocalHealthFailure."""

    @pytest.mark.parametrize("connections", [{}, None])
    def test_those_of_an_ejected_host_close_at_once(self, connections: Any) -> None:
        """Four hosts, each with one connection: three are left; without an ejection all four."""
        fails = broken(1000, 100_000, 0)
        given = {"connections": connections} if connections is not None else {"circuit_breakers": {"max_connections": 1024}}

        def open_at_the_end(**traffic: Any) -> int:
            rows = gateway({**given, **traffic}, faults=[fails]).destinations
            return int(rows.loc[rows["service"] == "back", "connections"].iloc[-1])

        assert open_at_the_end() == 4
        assert open_at_the_end(outlier_detection=EJECTING) == 3

    @pytest.mark.parametrize("connections", [{}, None])
    def test_those_of_a_host_that_fails_its_checks_too(self, connections: Any) -> None:
        """Its one worker is busy for some seconds, so that it fails; the requests that waited there had a connection each.

        Each host has one in the end, that one too, which passes again by then; not ten.
        """
        checks = {**CHECKED, "unhealthy_threshold": 2, "uses_worker": True}
        given = {"connections": connections} if connections is not None else {"circuit_breakers": {"max_connections": 1024}}
        busy = broken(1000, 60, 0, slow=400)
        rows = gateway({**given, "health_checks": checks}, back={"workers": 1}, faults=[busy], duration="9s").destinations

        assert rows["connections"].max() >= 8
        assert rows["connections"].iloc[-1] == 4

    def test_one_in_use_closes_with_its_request(self) -> None:
        """A request of 1 s is on its way to the host while that is ejected: it is answered, and its connection does not stay."""
        slow = broken(900, 100, 0, slow=200)
        fails = broken(1000, 1000, 0)
        result = gateway({"connections": {}, "outlier_detection": EJECTING}, faults=[slow, fails], duration="6s")

        rows = result.destinations[result.destinations["service"] == "back"]
        assert rows["connections"].iloc[-1] == 3
        late = result.attempts[(result.attempts["instance"] == 0) & (result.attempts["finished_ns"] > 1.8e9)]
        assert len(late) > 0
        assert rows.loc[rows["time_ns"] == 1.5e9, "connections"].item() > 3


class TestSessions:
    def test_a_session_leaves_its_host_before_the_load_balancer_does(self) -> None:
        """Envoy asks the host itself for a session, and picks from the list that it was told (selectOverrideHost, coarseHealth)."""
        bench = Bench(places=3, outliers=detection(), merge_window_ns=10**9)
        fail(bench, 100, 1)
        fail(bench, 200, 0)
        chooser = Chooser(bench.view, None, Persistence(HashOn.USER, is_strict=False, timeout_ns=0))
        pinned = Session(0, bench.instances[0], bench.instances[0].pod, NONE)
        seen: list[tuple[bool, int]] = []

        def ask() -> None:
            call = Call(Request(0, 0, -1, 1, 0, 0, 0), 1, 0, 0, 0)
            call.session = pinned
            chooser.choose(call)
            seen.append((0 in bench.healthy(), bench.view.activity.sessions_moved))

        for at_ms in (150, 300, 1300):
            bench.at(at_ms, ask)
        bench.run(1400)

        assert seen == [(True, 0), (True, 1), (False, 2)]


SLOWLY = {"round_robin": {"slow_start": {"slow_start_window": "10s"}}}
CHECKED = {"interval": "100ms", "timeout": "50ms", "unhealthy_threshold": 1, "healthy_threshold": 1}


class TestSlowStart:
    """Begins with the first check that is passed after a failure, at each return, and with nothing else once the host is there."""

    def share(self, traffic: dict[str, Any], fault: dict[str, Any], from_ms: float, until_ms: float) -> float:
        instances = sent(gateway({"load_balancer": SLOWLY, **traffic}, faults=[fault], duration="12s"), from_ms, until_ms)
        return float((instances == 3).mean())

    def test_it_begins_again_when_a_host_passes_its_checks_again(self) -> None:
        """From 3 s on, window 10 s: a tenth of its weight for a second, then 1.5 tenths and so on; 25 % without slow start."""
        crash = broken(2000, 1000, 3, crash=True)

        assert self.share({"health_checks": CHECKED}, crash, 4200, 6200) == pytest.approx(0.07, abs=0.02)
        at_once = {"health_checks": CHECKED, "load_balancer": "round_robin"}
        assert self.share(at_once, crash, 4200, 6200) == pytest.approx(0.25, abs=0.01)

    def test_at_each_return(self) -> None:
        crashes = [broken(2000, 500, 3, crash=True), broken(7000, 500, 3, crash=True)]
        result = gateway({"load_balancer": SLOWLY, "health_checks": CHECKED}, faults=crashes, duration="12s")

        assert (sent(result, 6000, 7000) == 3).mean() == pytest.approx(0.12, abs=0.03)
        assert (sent(result, 8600, 9600) == 3).mean() == pytest.approx(0.045, abs=0.025)

    def test_the_end_of_an_ejection_begins_none(self) -> None:
        """Envoy's last_hc_pass_time is left alone by outlier detection, by its sweeps and by a check that ends an ejection."""
        outliers = {**EJECTING, "interval": "1s", "base_ejection_time": "1s", "phase": "100ms"}
        fails = broken(2000, 200, 3)

        assert self.share({"outlier_detection": outliers}, fails, 5000, 8000) == pytest.approx(0.25, abs=0.01)
        both = {"outlier_detection": {**outliers, "base_ejection_time": "60s"}, "health_checks": CHECKED}
        assert self.share(both, fails, 5000, 8000) == pytest.approx(0.25, abs=0.01)

    def test_in_a_panic_who_is_not_healthy_has_its_full_weight_and_who_has_just_come_back_has_not(self) -> None:
        """Three of four fail their checks; one comes back at 3 s. Half of the hosts and fewer: all get requests, two at full weight."""
        ill = [broken(1000, 100_000, 1, 2, crash=True), broken(1000, 2000, 3, crash=True)]
        panic = {"health_checks": CHECKED, "healthy_panic_threshold": "80%"}
        result = gateway({"load_balancer": SLOWLY, **panic}, faults=ill, duration="6s")

        counts = Counter(sent(result, 4500, 5500))
        assert counts[1] == pytest.approx(counts[0], abs=2)
        assert counts[1] == pytest.approx(counts[2], abs=2)
        assert counts[3] < counts[0] / 3


class TestTwoFlags:
    def test_only_who_is_neither_ejected_nor_failing_is_picked(self) -> None:
        """Ejected from 100 to 10,000 ms, failing from 3 to 5 s and again from 9 to 12 s: checks do not end this ejection."""
        kept = detection(successful_active_health_check_uneject_host=False, base_ejection_time="5s", interval="10s")
        bench = Bench(check=check(), faults=(fault(3000, 5000, 0), fault(9000, 12_000, 0)), outliers=kept)
        fail(bench, 100)
        seen = over_time(bench, 13_000, lambda: 0 in bench.healthy(), 20)

        assert [said for _, said in seen] == [True, False, True]
        assert [at_ms for at_ms, _ in seen[1:]] == pytest.approx([110, 12_030], abs=60)


class TestRemoval:
    """`ignore_health_on_host_removal`: false in Envoy, true in Envoy Gateway."""

    def members(self, *, keeps: bool, until_ms: int, **parts: Any) -> list[tuple[float, Any]]:
        bench = Bench(check=check(), keeps_passing_hosts=keeps, **parts)
        return over_time(bench, until_ms, lambda: [one.index for one in bench.view.endpoints if one.is_member], 5)

    def test_who_passes_its_checks_stays_after_discovery_has_dropped_it_until_it_does_not(self) -> None:
        """Dropped at 500 ms, serves for 2 s more (preStop): the first check that it fails after that takes it out."""
        life = lifecycle(2, scale=[(500, 1)], pre_stop=2000)

        assert self.members(keeps=False, until_ms=1000, life=life)[1][0] == pytest.approx(502, abs=3)
        gone = self.members(keeps=True, until_ms=3000, life=life)[1]
        assert gone[1] == [0]
        assert 2500 < gone[0] <= 2505 + ROUND_MS

    def test_who_fails_its_checks_goes_at_once(self) -> None:
        gone = self.members(
            keeps=True, until_ms=1000, life=lifecycle(2, scale=[(500, 1)], pre_stop=2000), faults=(fault(300, FOR_EVER, 1),)
        )[1]

        assert gone[0] == pytest.approx(502, abs=3)

    def test_an_ejection_is_no_reason_to_go(self) -> None:
        kept = detection(successful_active_health_check_uneject_host=False)
        bench = Bench(check=check(), keeps_passing_hosts=True, life=lifecycle(2, scale=[(500, 1)], pre_stop=2000), outliers=kept)
        fail(bench, 400, 1)
        seen = over_time(bench, 1000, lambda: (bench.view.endpoints[1].is_member, bench.healthy()), 5)

        assert [said for _, said in seen] == [(True, [0, 1]), (True, [0])]

    def test_one_that_is_listed_again_in_the_meantime_is_the_same_host_and_a_new_pod_a_new_one(self) -> None:
        """The pod of a restart is another host: unhealthy until it has passed a check of its own."""
        bench = Bench(
            check=check(interval=5000), keeps_passing_hosts=True, life=lifecycle(2, restarts=[(500, 2)], pre_stop=100, startup=50)
        )
        seen = over_time(bench, 1000, bench.healthy, 1)

        assert [said for _, said in seen][:3] == [[0, 1], [], [0, 1]]
        assert seen[1][0] > 600

    def test_connections_to_who_has_gone_are_closed(self) -> None:
        """Four connections become three when an instance is scaled away, and none to it is left to take up `max_connections`."""
        scaled = {"replicas": 4, "scale": [{"at": "2s", "replicas": 3}], "pre_stop": "10s"}
        for given in ({"connections": {}}, {"circuit_breakers": {"max_connections": 1024}}):
            rows = gateway(given, back=scaled).destinations
            assert rows.loc[rows["time_ns"] < 2e9, "connections"].iloc[-1] == 4
            assert rows["connections"].iloc[-1] == 3
