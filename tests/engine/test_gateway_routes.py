"""What becomes of a request on its route: split, canary, fallback, aggregate."""

from __future__ import annotations

from typing import Any

import made_up
import numpy as np
import pytest

import meshsim as ms
from meshsim.engines.reference.destinations.hash_keys import HashKeys
from meshsim.engines.reference.proxies.routes import LiveRoute
from meshsim.engines.reference.time.clock import Clock
from meshsim.engines.reference.time.outcome import OK, Outcome, failure
from meshsim.flags import Flag
from meshsim.plan import BARE, Canary, Route

MS = 1_000_000
SECOND = 1_000_000_000


def service(compute: str = "1ms", **settings: Any) -> dict[str, Any]:
    return {"workers": 1000, "script": [{"compute": compute}], **settings}


def scenario(route: dict[str, Any], load: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
    """500 evenly spaced requests a second to `a`, `b` or `c` of 1 ms each, without a network."""
    services = {name: service(**parts.pop(name, {})) for name in "abc"}
    clients = {"executor": "constant-arrival-rate", "rate": "500/s", "arrivals": "even", "requests": {"all": 1}}
    return {
        "name": "routes",
        "deployment": "gateway",
        "load": parts.pop("loads", {"clients": {**clients, **(load or {})}}),
        "gateway": {"routes": {"all": {"path": "/", "to": "a", **route}}, **parts.pop("gateway", {})},
        "services": services,
        "run": {"duration": "4s", "interval": "100ms", **parts.pop("run", {})},
        **parts,
    }


def run(*args: Any, **parts: Any) -> ms.Result:
    return ms.load(scenario(*args, **parts)).run()


def sent_to(result: ms.Result) -> Any:
    """For each attempt its service, and the request's user, load and start."""
    asked = result.requests[["request", "user", "source", "started_ns"]]
    return result.attempts.drop(columns="started_ns").merge(asked, on="request")


def share_of(result: ms.Result, service: str, from_s: float = 0, until_s: float = 99) -> float:
    rows = sent_to(result)
    during = rows[(rows["started_ns"] >= from_s * SECOND) & (rows["started_ns"] < until_s * SECOND)]
    return float((during["service"] == service).mean())


def share_of_first(result: ms.Result, from_s: float, until_s: float) -> float:
    """Of the attempts at a and b the share of b."""
    rows = sent_to(result)
    rows = rows[
        rows["service"].isin(["a", "b"]) & rows["started_ns"].between(from_s * SECOND, until_s * SECOND, inclusive="left")
    ]
    return float((rows["service"] == "b").mean())


def near(share: float, count: int) -> Any:
    """Within 4 standard deviations of a share of so many requests: odds 1 in 16,000. Seeds are fixed."""
    return pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / count))


class TestSplit:
    def test_weights_are_shares(self):
        result = run({"to": {"a": 3, "b": 1}})
        assert share_of(result, "b") == near(0.25, 2000)
        assert share_of(result, "a") + share_of(result, "b") == 1

    def test_no_weight_is_no_request(self):
        assert set(run({"to": {"a": 1, "b": 0}}).attempts["service"]) == {"a"}

    def test_each_request_is_drawn_for_itself(self):
        """60 users with 60 or so requests each to two halves: that any meets only one has odds of 1 in 10^16."""
        rows = sent_to(run({"to": {"a": 1, "b": 1}}, loads={"users": closed()}))
        assert (rows.groupby("user")["service"].nunique() == 2).all()

    def test_a_larger_weight_takes_requests_only_from_the_others(self):
        """The draw of a request is its own: who went to `b` at 20 % goes there at 60 %."""
        few, many = (sent_to(run({"to": {"b": weight, "a": 100 - weight}})) for weight in (20, 60))
        went = [set(rows.loc[rows["service"] == "a", "request"]) for rows in (few, many)]
        assert went[1] < went[0]


def closed(count: int = 60, **settings: Any) -> dict[str, Any]:
    return {"executor": "constant-vus", "vus": count, "think_time": "60ms", "requests": {"all": 1}, **settings}


HALVES = {"a": 1, "b": 1}


class TestSticky:
    def test_a_user_stays(self):
        """60 users on two halves: that all are on one has odds of 1 in 10^17."""
        rows = sent_to(run({"to": HALVES, "sticky": "user"}, loads={"users": closed()}))
        assert (rows.groupby("user")["service"].nunique() == 1).all()
        assert set(rows["service"]) == {"a", "b"}
        assert share_of_users(rows, "b") == near(0.5, 60)

    def test_of_an_open_load_every_request_is_a_new_users(self):
        assert share_of(run({"to": HALVES, "sticky": "user"}), "b") == near(0.5, 2000)

    def test_users_with_one_number_in_two_loads_are_two(self):
        rows = sent_to(run({"to": HALVES, "sticky": "user"}, loads={"one": closed(), "two": closed()}))
        where = rows.groupby(["source", "user"], observed=True)["service"].first().unstack(0)
        assert 0 < (where["one"] == where["two"]).sum() < 60

    def test_a_consumer_stays_by_whichever_load_it_asks(self):
        loads = {f"{name}{number}": closed(3, consumer=f"c{number}") for number in range(12) for name in ("app", "batch")}
        rows = sent_to(run({"to": HALVES, "sticky": "consumer"}, loads=loads))
        consumers = rows["source"].astype(str).str.extract(r"(\d+)")[0]
        assert (rows.groupby(consumers)["service"].nunique() == 1).all()
        assert set(rows["service"]) == {"a", "b"}

    def test_without_a_consumer_each_request_is_drawn_for_itself(self):
        assert share_of(run({"to": HALVES, "sticky": "consumer"}), "b") == near(0.5, 2000)

    def test_an_address_stays(self):
        """Users 0, 4, 8 and so on share one of four addresses."""
        rows = sent_to(run({"to": HALVES, "sticky": "address"}, loads={"users": closed(40, addresses=4)}))
        assert (rows.groupby(rows["user"] % 4)["service"].nunique() == 1).all()

    @pytest.mark.parametrize(("addresses", "services"), [(1, 1), (1000, 2)])
    def test_an_open_load_has_as_many_who_stay_as_addresses(self, addresses, services):
        result = run({"to": HALVES, "sticky": "address"}, {"addresses": addresses})
        assert result.attempts["service"].nunique() == services

    def test_a_users_retries_stay_too(self):
        load = closed(20, retries={"num_retries": 2, "retry_on": ["5xx"]})
        rows = sent_to(run({"to": HALVES, "sticky": "user"}, loads={"users": load}, a={"errors": "100%"}))
        assert (rows.groupby("user")["service"].nunique() == 1).all()

    def test_users_move_to_the_new_version_with_its_weight_and_never_back(self):
        """Canary without analysis: at each step some more users, and the ones before among them."""
        canary = {"to": "b", "steps": [{"weight": "20%", "pause": "1s"}, {"weight": "60%", "pause": "1s"}]}
        rows = sent_to(run({"to": {"a": 1, "b": 0}, "sticky": "user", "canary": canary}, loads={"users": closed()}))
        met = [set(rows.loc[(rows["service"] == "b") & (rows["started_ns"] // SECOND == second), "user"]) for second in range(3)]
        old = [set(rows.loc[(rows["service"] == "a") & (rows["started_ns"] // SECOND == second), "user"]) for second in range(3)]
        assert not any(new & before for new, before in zip(met, old, strict=True))
        assert len(met[0]) < len(met[1]) < len(met[2]) == 60


def share_of_users(rows: Any, service: str) -> float:
    return float((rows.groupby("user")["service"].first() == service).mean())


def canary(*steps: tuple[str, str], start: str = "0s", **analysis: Any) -> dict[str, Any]:
    made = {"to": "b", "start": start, "steps": [{"weight": weight, "pause": pause} for weight, pause in steps]}
    return made | ({"analysis": analysis} if analysis else {})


class TestCanary:
    def test_shares_follow_the_steps_and_then_it_has_all(self):
        steps = canary(("10%", "1s"), ("50%", "1s"), start="1s")
        result = run({"to": {"a": 1, "b": 0}, "canary": steps})

        assert share_of(result, "b", 0, 1) == 0
        assert share_of(result, "b", 1, 2) == near(0.1, 500)
        assert share_of(result, "b", 2, 3) == near(0.5, 500)
        assert share_of(result, "b", 3, 4) == 1

    def test_the_instants_are_exact(self):
        """A request at the very instant of a step goes by the new weights."""
        steps = canary(("100%", "500ms"), ("0%", "300ms"), start="1s")
        rows = sent_to(run({"to": {"a": 1, "b": 0}, "canary": steps}))

        times = rows.loc[rows["service"] == "b", "started_ns"]
        every = rows["started_ns"]
        expected = every[((every >= SECOND) & (every < 1.5 * SECOND)) | (every >= 1.8 * SECOND)]
        assert sorted(times) == sorted(expected)
        assert SECOND in set(every)

    def test_the_others_keep_their_proportions(self):
        result = run({"to": {"a": 3, "b": 0, "c": 1}, "canary": canary(("60%", "4s"))})
        assert [share_of(result, name) for name in "abc"] == [near(0.3, 2000), near(0.6, 2000), near(0.1, 2000)]

    def test_before_it_begins_the_weights_hold(self):
        result = run({"to": {"a": 1, "b": 1}, "canary": canary(("5%", "2s"), start="2s")})
        assert share_of(result, "b", 0, 2) == near(0.5, 1000)
        assert share_of(result, "b", 2, 4) == near(0.05, 1000)

    def test_a_good_one_is_promoted(self):
        good = canary(("50%", "2s"), interval="500ms", min_success_rate="99%", max_p99="5ms", threshold=1)
        assert share_of(run({"to": {"a": 1, "b": 0}, "canary": good}), "b", 2, 4) == 1

    @pytest.mark.parametrize("threshold", [1, 2, 3])
    def test_errors_take_it_back_after_so_many_checks(self, threshold):
        bad = canary(("50%", "3s"), interval="500ms", min_success_rate="99%", threshold=threshold)
        result = run({"to": {"a": 1, "b": 0}, "canary": bad}, b={"errors": "20%"})

        assert last_to(result, "b") == pytest.approx(0.5 * threshold, abs=0.02)
        assert share_of(result, "b", 0.5 * threshold, 99) == 0

    def test_a_part_of_the_answer_that_fails_says_nothing_of_the_new_version(self):
        good = canary(("50%", "2s"), interval="500ms", min_success_rate="99%", threshold=1)
        whole = {"to": {"a": 1, "b": 0}, "canary": good, "aggregate": [{"call": "c", "optional": True}]}

        assert share_of_first(run(whole, c={"errors": "100%"}), 2, 4) == 1
        required = {**whole, "aggregate": [{"call": "c"}]}
        assert share_of_first(run(required, c={"errors": "100%"}), 2, 4) == 1

    @pytest.mark.parametrize(("hold", "share"), [(False, 1.0), (True, 0.1)])
    def test_only_where_it_holds_does_a_failed_check_stop_the_next_step(self, hold, share):
        """20 % of the answers are errors, and the threshold is never reached: Argo goes on, Flagger waits at the first step."""
        bad = canary(("10%", "1s"), ("50%", "1s"), interval="500ms", min_success_rate="99%", threshold=1000, hold=hold)
        result = run({"to": {"a": 1, "b": 0}, "canary": bad}, b={"errors": "20%"})

        assert share_of(result, "b", 2.5, 4) == pytest.approx(share, abs=0.06)  # 4.5 standard deviations of 500 requests

    def test_a_step_goes_on_at_the_first_check_that_succeeds(self):
        faults = [{"at": "0s", "for": "1700ms", "service": "b", "errors": "100%"}]
        held = canary(("50%", "1s"), interval="500ms", min_success_rate="99%", threshold=1000, hold=True)
        result = run({"to": {"a": 1, "b": 0}, "canary": held}, faults=faults)

        assert share_of(result, "b", 1.0, 2.4) == pytest.approx(0.5, abs=0.1)
        assert share_of(result, "b", 2.51, 4) == 1

    def test_the_success_rate_is_a_limit_and_not_a_switch(self):
        for limit, is_kept in (("70%", True), ("90%", False)):
            lax = canary(("50%", "3s"), interval="500ms", min_success_rate=limit, threshold=1)
            result = run({"to": {"a": 1, "b": 0}, "canary": lax}, b={"errors": "20%"})
            assert (share_of(result, "b", 3, 4) == 1) is is_kept

    @pytest.mark.parametrize(("limit", "is_kept"), [("20ms", False), ("60ms", True)])
    def test_slowness_takes_it_back(self, limit, is_kept):
        slow = canary(("50%", "3s"), interval="500ms", max_p99=limit, threshold=2)
        result = run({"to": {"a": 1, "b": 0}, "canary": slow}, b={"compute": "50ms"})

        assert (share_of(result, "b", 3, 4) == 1) is is_kept
        if not is_kept:
            assert last_to(result, "b") == pytest.approx(1.0, abs=0.02)

    def test_the_old_versions_errors_do_not_count(self):
        good = canary(("50%", "2s"), interval="500ms", min_success_rate="99%", threshold=1)
        assert share_of(run({"to": {"a": 1, "b": 0}, "canary": good}, a={"errors": "100%"}), "b", 2, 4) == 1

    @pytest.mark.parametrize(("least", "is_kept"), [(1000, True), (10, False)])
    def test_too_few_requests_say_nothing(self, least, is_kept):
        bad = canary(("50%", "2s"), interval="500ms", min_success_rate="99%", threshold=1, min_requests=least)
        result = run({"to": {"a": 1, "b": 0}, "canary": bad}, b={"errors": "100%"})
        assert (share_of(result, "b", 2, 4) == 1) is is_kept

    def test_what_failed_before_it_began_is_not_held_against_it(self):
        faults = [{"at": "0s", "for": "1500ms", "service": "b", "errors": "100%"}]
        fine = canary(("50%", "1s"), start="2s", interval="500ms", min_success_rate="99%", threshold=1)
        assert share_of(run({"to": {"a": 1, "b": 1}, "canary": fine}, faults=faults), "b", 3, 4) == 1

    def test_what_a_client_does_not_wait_for_counts_by_its_time(self):
        """Istio reports requests that the client has left, with their time and without a 5xx: a hanging version is slow, not failing."""
        slow = canary(("50%", "3s"), interval="500ms", max_p99="20ms", threshold=1)
        result = run({"to": {"a": 1, "b": 0}, "canary": slow}, {"timeout": "40ms"}, b={"compute": "10s"})
        assert share_of(result, "b", 3, 4) == 0

    def test_clients_errors_do_not_count(self):
        good = canary(("50%", "2s"), interval="500ms", min_success_rate="99%", threshold=1)
        missing = {"errors": {"rate": "50%", "status": 404}}
        assert share_of(run({"to": {"a": 1, "b": 0}, "canary": good}, b=missing), "b", 2, 4) == 1


def last_to(result: ms.Result, service: str) -> float:
    rows = sent_to(result)
    return float(rows.loc[rows["service"] == service, "started_ns"].max()) / SECOND


class Checked:
    """A canary of one step of 10 s, looked at every second; what it is told is written down here."""

    def __init__(self, **analysis: Any) -> None:
        self.clock = Clock()
        plan = Canary(1, 0, ((0.5, 10 * SECOND),), interval_ns=SECOND, **analysis)
        self.route = LiveRoute(Route((0, 1), (1.0, 1.0), BARE, canary=plan), self.clock, HashKeys(made_up.plan(), 0, 0))
        assert self.route.canary is not None
        self.canary = self.route.canary
        self.canary.begin()

    def tell(self, at_s: float, count: int, outcome: Outcome = OK, latency_ms: float = 1, operation: int = 1) -> Checked:
        def now() -> None:
            for _ in range(count):
                self.canary.observe(operation, outcome, round(latency_ms * MS))

        self.clock.call_at(round(at_s * SECOND), now)
        return self

    def is_taken_back(self) -> bool:
        self.clock.run_all(lambda: None)
        return self.canary.is_taken_back


FAILED = failure(500, Flag.error, 1)


class TestChecks:
    @pytest.mark.parametrize("percent", range(1, 100))
    def test_exactly_the_rate_is_enough(self, percent):
        rate = percent / 100
        one = Checked(min_success_rate=rate).tell(0.5, percent).tell(0.6, 100 - percent, FAILED)
        assert not one.is_taken_back()

    def test_one_failure_more_is_too_much(self):
        assert Checked(min_success_rate=0.93).tell(0.5, 92).tell(0.6, 8, FAILED).is_taken_back()

    def test_exactly_the_p99_is_enough_and_one_in_a_hundred_may_be_slower(self):
        assert not Checked(max_p99_ns=20 * MS).tell(0.5, 99, latency_ms=20).tell(0.6, 1, latency_ms=999).is_taken_back()
        assert Checked(max_p99_ns=20 * MS).tell(0.5, 98, latency_ms=20).tell(0.6, 2, latency_ms=999).is_taken_back()
        assert Checked(max_p99_ns=20 * MS).tell(0.5, 99, latency_ms=20.001).is_taken_back()

    def test_failed_checks_need_not_follow_each_other(self):
        """Flagger counts failed checks over the whole analysis."""
        one = Checked(min_success_rate=0.9, threshold=2)
        assert one.tell(0.5, 9, FAILED).tell(1.5, 9).tell(2.5, 9, FAILED).is_taken_back()

    def test_a_check_forgets_what_the_one_before_has_seen(self):
        one = Checked(min_success_rate=0.9, threshold=2)
        assert not one.tell(0.5, 9, FAILED).tell(1.5, 9).tell(2.5, 9).is_taken_back()
        slow = Checked(max_p99_ns=20 * MS, threshold=2)
        assert not slow.tell(0.5, 9, latency_ms=50).tell(1.5, 9).tell(2.5, 9).is_taken_back()

    def test_the_last_check_is_at_the_end_of_the_last_step(self):
        assert Checked(min_success_rate=0.9).tell(9.5, 9, FAILED).is_taken_back()
        late = Checked(min_success_rate=0.9).tell(10.5, 9, FAILED)
        assert not late.is_taken_back()

    def test_of_grpc_only_the_servers_faults_count(self):
        assert not Checked(min_success_rate=0.9).tell(0.5, 9, Outcome(200, 5)).is_taken_back()
        assert Checked(min_success_rate=0.9).tell(0.5, 9, Outcome(200, 14)).is_taken_back()


class TestFallback:
    def test_only_after_the_servers_fault(self):
        """5xx and no answer in time; not a 4xx, which is the client's."""
        for failing, is_saved in (
            ({"errors": "100%"}, True),
            ({"errors": {"rate": "100%", "status": 404}}, False),
            ({"errors": {"rate": "100%", "status": 429}}, False),
            ({"compute": "1s"}, True),
            ({}, False),
        ):
            result = run({"fallback": "b", "timeout": "20ms"}, a=failing)
            assert ("b" in set(result.attempts["service"])) is is_saved
            assert (set(result.requests["status"]) == {200}) is (is_saved or not failing)

    def test_it_comes_after_all_retries_and_is_asked_once(self):
        retries = {"num_retries": 2, "retry_on": ["5xx"]}
        result = run({"fallback": "b", "retries": retries}, a={"errors": "100%"})

        assert set(result.requests["attempts"]) == {4}
        order = result.attempts.sort_values(["request", "sent_ns"]).groupby("request")["service"].apply("".join)
        assert set(order) == {"aaab"}

    def test_its_failure_is_the_answer(self):
        """With the route's own retries, as any of its calls."""
        result = run({"fallback": "b"}, a={"errors": "100%"}, b={"errors": {"rate": "100%", "status": 502}})
        assert set(result.requests["status"]) == {502}
        assert set(result.requests["origin"]) == {"b"}

    def test_who_was_asked_already_is_not_asked_again(self):
        result = run({"to": {"a": 1, "b": 1}, "fallback": "b"}, b={"errors": "100%"}, a={"errors": "100%"})
        asked = result.attempts.sort_values(["request", "attempt"]).groupby("request")["service"].apply("".join)
        assert set(asked) == {"ab", "b"}

    def test_what_a_filter_refuses_has_no_fallback(self):
        refuses = {"filters": [{"fault": {"abort": {"http_status": 503, "percentage": "100%"}}}]}
        result = run({"fallback": "b"}, gateway=refuses)
        assert result.attempts.empty
        assert set(result.requests["status"]) == {503}

    def test_its_time_comes_on_top(self):
        """The route's timeout is of each of the two calls: as Envoy's internal redirect to another route, with a timeout of its own."""
        result = run({"fallback": "b", "timeout": "20ms"}, a={"compute": "1s"}, b={"compute": "15ms"})
        assert set(result.requests["latency_s"]) == {0.035}

    @pytest.mark.parametrize("filters", [[], [{"transform": {"response_time": "1us"}}]])
    def test_its_answer_has_its_own_size_and_no_parts(self, filters):
        """10 KiB of the fallback over a link of 100 KiB/s, and not the 50 KiB of the destination with its part."""
        sizes = {
            "a": {"response_size": "30KiB", "errors": "100%"},
            "b": {"response_size": "10KiB"},
            "c": {"response_size": "20KiB"},
        }
        result = run(
            {"fallback": "b", "aggregate": [{"call": "c"}]},
            {"rate": "5/s", "bandwidth": "100KiB"},
            gateway={"filters": filters},
            **sizes,
        )

        assert result.requests["latency_s"].tolist() == pytest.approx([0.102] * 20, abs=1e-4)

    def test_a_retry_that_a_cache_answers_has_the_destinations(self):
        """The first try ends with the fallback's error; until the second another client has filled the cache: 30 KiB more are 300 ms."""
        fault = [{"at": "0s", "for": "30ms", "service": "a", "errors": "100%"}]
        retries = {"num_retries": 1, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "400ms", "max_interval": "400ms"}}
        once = {
            "executor": "constant-arrival-rate",
            "rate": "1/s",
            "arrivals": "even",
            "requests": {"all": 1},
            "duration": "900ms",
        }
        loads = {"one": {**once, "bandwidth": "100KiB", "retries": retries}, "two": {**once, "rate": "20/s", "start": "40ms"}}
        cache = {"filters": [{"cache": {"ttl": "10s", "key": "route"}}]}
        bad = {"response_size": "10KiB", "errors": {"rate": "100%", "status": 502}}

        def latency_s(size: str) -> float:
            result = run(
                {"fallback": "b"},
                loads=loads,
                faults=fault,
                gateway=cache,
                run={"duration": "1s"},
                a={"response_size": size},
                b=bad,
            )
            (request,) = result.requests.query("source == 'one'").itertuples()
            assert (request.status, request.attempts) == (200, 2)  # both of the first try
            return float(request.latency_s)

        assert latency_s("40KiB") - latency_s("10KiB") == pytest.approx(0.3)

    def test_a_retry_that_the_destination_answers_has_the_destinations(self):
        """The client's first try ends with the fallback's error, its second with an answer of 30 KiB."""
        sizes = {"a": {"response_size": "30KiB"}, "b": {"response_size": "10KiB", "errors": {"rate": "100%", "status": 502}}}
        fault = [{"at": "0s", "for": "30ms", "service": "a", "errors": "100%"}]
        load = {
            "rate": "1/s",
            "bandwidth": "100KiB",
            "retries": {"num_retries": 1, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "200ms"}},
        }
        result = run({"fallback": "b"}, load, faults=fault, run={"duration": "1s"}, **sizes)
        (request,) = result.requests.itertuples()
        waited = result.attempts["sent_ns"].max() - request.started_ns

        assert request.status == 200
        assert request.latency_s * 1e9 - waited == pytest.approx(301 * MS, rel=1e-6)


def parts(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"aggregate": list(calls)}


class TestAggregate:
    @pytest.mark.parametrize(
        ("times", "latency_ms"), [(("5ms", "30ms", "10ms"), 30), (("40ms", "30ms", "10ms"), 40), (("1ms", "2ms", "3ms"), 3)]
    )
    def test_the_answer_takes_as_long_as_the_slowest(self, times, latency_ms):
        made = {name: {"compute": time} for name, time in zip("abc", times, strict=True)}
        result = run(parts({"call": "b"}, {"call": "c", "optional": True}), **made)
        assert set(result.requests["latency_s"]) == {latency_ms / 1000}
        assert set(result.requests["attempts"]) == {3}

    def test_parts_begin_at_once(self):
        result = run(parts({"call": "b"}, {"call": "c"}), b={"compute": "9ms"})
        assert (result.attempts["sent_ns"] == result.attempts["request_started_ns"]).all()
        assert set(result.attempts["caller"]) == {"(gateway)"}

    @pytest.mark.parametrize(("optional", "status"), [(False, 503), (True, 200)])
    def test_a_failed_part_fails_the_answer_unless_it_is_optional(self, optional, status):
        result = run(parts({"call": "b", "optional": optional}), b={"errors": "100%"})
        assert set(result.requests["status"]) == {status}
        assert set(result.requests["origin"].dropna()) == ({"b"} if status == 503 else set())

    def test_the_routes_own_destination_is_never_optional(self):
        result = run(parts({"call": "b", "optional": True}), a={"errors": "100%"})
        assert set(result.requests["status"]) == {503}

    def test_of_several_failures_the_first_in_order_is_the_answer(self):
        """Whichever came first."""
        late = {"compute": "9ms", "errors": {"rate": "100%", "status": 502}}
        early = {"errors": {"rate": "100%", "status": 503}}
        result = run(parts({"call": "b"}, {"call": "c"}), b=late, c=early)
        assert set(result.requests["status"]) == {502}

    @pytest.mark.parametrize("status", [400, 404, 429])
    def test_a_clients_error_of_a_part_fails_the_answer_too(self, status):
        result = run(parts({"call": "b"}), b={"errors": {"rate": "100%", "status": status}})
        assert set(result.requests["status"]) == {status}

    @pytest.mark.parametrize(("name", "number"), [("not-found", 5), ("permission-denied", 7), ("unavailable", 14)])
    def test_so_does_any_failure_in_grpc(self, name, number):
        result = run(parts({"call": "b"}), b={"protocol": "grpc", "errors": {"rate": "100%", "grpc_status": name}})
        assert set(result.requests["grpc_status"]) == {number}

    @pytest.mark.parametrize(("optional", "status", "latency_ms"), [(True, 200, 10), (False, 504, 10)])
    def test_a_part_has_a_timeout_of_its_own(self, optional, status, latency_ms):
        result = run(parts({"call": "b", "optional": optional, "timeout": "10ms"}), b={"compute": "1s"})
        assert set(result.requests["status"]) == {status}
        assert set(result.requests["latency_s"]) == {latency_ms / 1000}

    def test_without_one_the_routes_holds(self):
        result = run({**parts({"call": "b", "optional": True}), "timeout": "25ms"}, b={"compute": "1s"})
        assert set(result.requests["latency_s"]) == {0.025}

    def test_a_client_that_leaves_takes_all_parts_with_it(self):
        stops = {"compute": "1s", "on_cancel": "stop"}
        result = run(parts({"call": "b"}, {"call": "c"}), {"timeout": "30ms"}, a=stops, b=stops, c=stops)
        assert set(result.requests["latency_s"]) == {0.03}
        assert (result.attempts["ended_ns"] - result.attempts["sent_ns"] == 30 * MS).all()
        assert (result.attempts["finished_ns"] - result.attempts["started_ns"] == 30 * MS).all()

    def test_parts_are_retried_by_themselves(self):
        retries = {"num_retries": 1, "retry_on": ["5xx"]}
        result = run({**parts({"call": "b", "optional": True}), "retries": retries}, b={"errors": "100%"})
        counts = result.attempts["service"].astype(str).value_counts().to_dict()
        assert counts["b"] == 2 * counts["a"] == 2 * len(result.requests)

    def test_a_failed_part_falls_back_for_the_whole(self):
        result = run({**parts({"call": "b"}), "fallback": "c"}, b={"errors": "100%"})
        assert set(result.requests["status"]) == {200}
        assert set(result.requests["attempts"]) == {3}


class TestLimits:
    def test_a_path_that_no_route_meets_is_404(self):
        """Before any upstream work: no attempt, no time."""
        result = run({"path": "/a"}, {"requests": {"/a": 1, "/b": 1}})
        lost = result.requests[result.requests["route"].isna() | (result.requests["route"].astype(str) == "-")]
        found = result.requests[result.requests["status"] == 404]
        assert len(found) == pytest.approx(1000, abs=4 * np.sqrt(500))
        assert set(found["response_flags"]) == {"NR"}
        assert set(found["attempts"]) == set(found["latency_s"]) == {0}
        assert len(result.attempts) == len(result.requests) - len(found)
        assert len(lost) in (0, len(found))

    @pytest.mark.parametrize(("body", "status"), [("100KiB", 200), ("100.001KiB", 413)])
    def test_a_body_may_be_as_large_as_the_limit(self, body, status):
        result = run({"max_body": "100KiB"}, {"body": body})
        assert set(result.requests["status"]) == {status}
        assert set(result.requests["response_flags"]) == {"-" if status == 200 else "too_large"}
        assert len(result.attempts) == (len(result.requests) if status == 200 else 0)

    def test_a_routes_timeout_and_retries_are_its_own(self):
        gateway = {"traffic": {"*": {"timeout": "5ms", "retries": {"num_retries": 3, "retry_on": ["5xx"]}}}}
        own = {"timeout": "300ms", "retries": {"num_retries": 1, "retry_on": ["5xx"]}}
        result = run(own, a={"compute": "10ms", "errors": "100%"}, gateway=gateway)
        assert set(result.requests["attempts"]) == {2}
        assert set(result.requests["status"]) == {503}
