"""Session persistence: who comes back where, and what becomes of a session when its instance goes, fails or falls ill."""

from __future__ import annotations

from typing import Any

import pytest
from test_gateway_routes import HALVES, SECOND, closed, near, run, sent_to, share_of_users

EJECTING = {
    "outlier_detection": {"consecutive_5xx": 3, "interval": "100ms", "base_ejection_time": "30s", "max_ejection_percent": "100%"}
}
RETRIES = {"num_retries": 1, "retry_on": ["5xx"], "retry_host_predicate": "previous_hosts",
           "host_selection_retry_max_attempts": 30, "retry_back_off": {"base_interval": "1ms"}}  # fmt: skip


def kept(settings: dict[str, Any] | None = None, *, count: int = 60, users: dict[str, Any] | None = None, **parts: Any) -> Any:
    """Attempts of users at a route with sessions: four instances of `a` behind the gateway's draws, as random as can be."""
    parts["a"] = {"replicas": 4, **parts.get("a", {})}
    route = {"session_persistence": settings or {}, **parts.pop("route", {})}
    gateway = {"traffic": {"a": {"load_balancer": "random", **parts.pop("traffic", {})}}, **parts.pop("gateway", {})}
    loads = parts.pop("loads", {"users": closed(count, **(users or {}))})
    return run(route, gateway=gateway, loads=loads, **parts)


def places(result: Any, by: Any = "user") -> Any:
    """How many instances served each of them."""
    rows = sent_to(result)
    return rows.groupby(rows[by] if isinstance(by, str) else by(rows), observed=True)["instance"].nunique()


def moved(result: Any) -> int:
    return sum(one.counts.get("sessions_moved", 0) for one in result.summary().destinations)


def second(rows: Any, at: int) -> Any:
    return rows[rows["started_ns"] // SECOND == at]


class TestWhoComesBack:
    def test_a_user_comes_back_to_the_instance_that_answered(self):
        """Of 60 users with 60 or so requests each; without sessions all of them meet all four instances."""
        rows = sent_to(kept())

        assert (rows.groupby("user")["instance"].nunique() == 1).all()
        assert rows["instance"].nunique() == 4
        free = run({}, gateway={"traffic": {"a": {"load_balancer": "random"}}}, loads={"users": closed()}, a={"replicas": 4})
        assert (places(free) == 4).all()

    def test_the_gateways_replicas_share_the_sessions(self):
        """The cookie is the client's; with a hash, each replica would have to come to the same place too."""
        assert (places(kept(gateway={"replicas": 5})) == 1).all()

    def test_they_outlive_a_restart_of_the_gateway(self):
        assert (places(kept(gateway={"replicas": 2, "restarts": [{"at": "1s"}]})) == 1).all()

    def test_of_an_open_load_nobody_comes_back(self):
        with_cookies, without = (sent_to(run(route, a={"replicas": 4})) for route in ({"session_persistence": {}}, {}))

        assert (with_cookies["instance"] == without["instance"]).all()

    def test_a_consumers_requests_go_to_one_instance_after_its_first(self):
        """Those of its first instant are on the way before any of them has a cookie."""
        loads = {f"{name}{number}": closed(3, consumer=f"c{number}") for number in range(8) for name in ("app", "batch")}
        rows = sent_to(kept({"of": "consumer"}, loads=loads))
        rows = rows[rows["started_ns"] > 0.2 * SECOND]

        assert (rows.groupby(rows["source"].astype(str).str[-1])["instance"].nunique() == 1).all()

    def test_who_has_no_consumer_has_no_session(self):
        assert (places(kept({"of": "consumer"})) == 4).all()

    def test_an_address_is_one_client(self):
        rows = sent_to(kept({"of": "address"}, users={"addresses": 5}))
        rows = rows[rows["started_ns"] > 0.2 * SECOND]

        assert (rows.groupby(rows["user"] % 5)["instance"].nunique() == 1).all()

    def test_users_with_one_number_in_two_loads_are_two(self):
        """60 pairs meet at one of four instances in a quarter of the cases, to the end."""
        rows = sent_to(kept(loads={"one": closed(), "two": closed()}))
        where = rows.groupby(["source", "user"], observed=True)["instance"].last().unstack(0)

        assert (where["one"] == where["two"]).mean() == near(0.25, 60)

    def test_a_route_has_sessions_of_its_own(self):
        """As GEP-1619 has it: routes to one service do not share a cookie. In one route of two both would be one instance."""
        routes = {"other": {"path": "/other", "to": "a", "session_persistence": {}}}
        rows = sent_to(kept(gateway={"routes": {"all": {"path": "/", "to": "a", "session_persistence": {}}, **routes}},
                            loads={"users": closed(requests={"all": 1, "other": 1})}))  # fmt: skip
        met = rows.groupby("user")["instance"].nunique()

        assert met.max() == 2
        assert (met == 1).mean() == near(0.25, 60)


class TestHowLong:
    def test_a_cookie_ends_after_its_time_however_often_it_is_used(self):
        """Cookies of a second, set in the first moments: another draw after each second, and one instance in between."""
        rows = sent_to(kept({"absolute_timeout": "1s"}))
        middle = rows["started_ns"] % SECOND > 0.2 * SECOND  # all have begun, and none of them ends
        where = rows[middle].groupby([rows["user"], rows["started_ns"] // SECOND])["instance"].agg(["nunique", "first"])

        assert (where["nunique"] == 1).all()
        firsts = where["first"].unstack()
        assert (firsts[0] == firsts[1]).mean() == near(0.25, 60)


class TestSplit:
    def test_a_session_stays_at_its_destination(self):
        rows = sent_to(kept(route={"to": HALVES}))

        assert (rows.groupby("user")["service"].nunique() == 1).all()
        assert share_of_users(rows, "b") == near(0.5, 60)

    def test_who_met_a_bad_canary_stays_with_it_after_it_was_taken_back(self):
        """The corner that people get wrong: a weight of 0 ends no session (GEP-1619), so that a rollback does not help these users."""
        canary = {"to": "b", "steps": [{"weight": "50%", "pause": "4s"}],
                  "analysis": {"interval": "500ms", "min_success_rate": "90%", "threshold": 1}}  # fmt: skip
        route = {"to": {"a": 1, "b": 0}, "canary": canary}
        rows = sent_to(kept(route=route, b={"errors": "100%"}))
        caught = set(rows.loc[rows["service"] == "b", "user"])
        late = second(rows, 3)

        assert len(caught) / 60 == near(0.5, 60)
        assert set(late.loc[late["service"] == "b", "user"]) == caught
        free = sent_to(run(route, loads={"users": closed()}, b={"errors": "100%"}))
        assert set(second(free, 3)["service"]) == {"a"}

    def test_they_are_free_when_its_pods_have_gone(self):
        """Scaled away after the rollback: the weights decide again."""
        canary = {"to": "b", "steps": [{"weight": "50%", "pause": "4s"}],
                  "analysis": {"interval": "500ms", "min_success_rate": "90%", "threshold": 1}}  # fmt: skip
        scale = {"errors": "100%", "replicas": 2, "scale": [{"at": "2s", "replicas": 1}]}
        rows = sent_to(kept(route={"to": {"a": 1, "b": 0}, "canary": canary}, b=scale))
        first, late = second(rows, 1), second(rows, 3)

        gone = set(first.loc[(first["service"] == "b") & (first["instance"] == 1), "user"])
        assert gone
        assert set(late.loc[late["user"].isin(gone), "service"]) == {"a"}
        assert late.loc[late["user"].isin(gone), "instance"].nunique() > 1  # and not only the one with the same number
        assert (late["service"] == "b").any()  # those of the other pod

    def test_weights_decide_anew_when_the_pods_were_replaced(self):
        """Half of 60 users change sides, of the destinations of a route as of the subsets of one, though hardly any asks meanwhile."""
        gone = {"restarts": [{"at": "1s", "batch": 2}], "startup_time": "1ms"}
        rows = sent_to(kept(route={"to": HALVES}, a=gone, b={"replicas": 4, **gone}))
        first, late = (second(rows, at).groupby("user")["service"].first() for at in (0, 3))
        assert (first == late).mean() == near(0.5, 60)

        rows = sent_to(kept(traffic={"split": {"v1": 1, "v2": 1}}, a={"subsets": {"v1": 2, "v2": 2}, **gone}))
        first, late = (second(rows, at).groupby("user")["instance"].first() // 2 for at in (0, 3))
        assert (first == late).mean() == near(0.5, 60)

    def test_a_session_stays_in_its_subset(self):
        result = kept(traffic={"split": {"v1": 1, "v2": 1}}, a={"subsets": {"v1": 2, "v2": 2}})

        assert (places(result) == 1).all()
        assert sent_to(result)["instance"].nunique() == 4

    def test_the_fallback_has_no_session(self):
        """Its answers are not the destination's: each request tries the session's instance first."""
        rows = sent_to(kept(route={"fallback": "b"}, a={"errors": "100%"}))
        tried = rows[rows["service"] == "a"].groupby("user")["instance"].nunique()

        assert (tried == 1).all()
        assert rows.groupby("service", observed=True)["request"].nunique().nunique() == 1

    def test_parts_of_an_answer_have_none(self):
        rows = sent_to(kept(route={"aggregate": [{"call": "b"}]}, b={"replicas": 4}))
        met = rows.groupby(["service", "user"], observed=True)["instance"].nunique().unstack(0)

        assert (met["a"] == 1).all()
        assert (met["b"] > 1).all()


class TestWhoFails:
    def test_whoever_answers_has_the_session_were_it_with_an_error(self):
        assert (places(kept(a={"errors": "100%"})) == 1).all()

    def test_a_retry_is_balanced_and_its_host_has_the_session_from_then_on(self):
        """Instance 0 fails always: whose session it was has moved for good with the first retry that another one answered."""
        faults = [{"at": "1s", "for": "9s", "service": "a", "instances": [0], "errors": "100%"}]
        result = kept(route={"retries": RETRIES}, faults=faults)
        rows = sent_to(result)
        before, during = second(rows, 0), rows[rows["started_ns"] >= SECOND]
        users = set(before.loc[before["instance"] == 0, "user"])
        hits = during[during["instance"] == 0].groupby("user").size()

        assert set(hits.index) == users
        assert (hits == 1).all()
        assert result.requests["status"].eq(200).all()

    def test_a_retry_is_balanced_without_a_predicate_too(self):
        """One of four hosts fails: it gets a quarter of the retries of its users, and not all of them."""
        faults = [{"at": "1s", "for": "9s", "service": "a", "instances": [0], "errors": "100%"}]
        retries = {"num_retries": 1, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "1ms"}}
        again = sent_to(kept(count=300, route={"retries": retries}, faults=faults)).query("attempt == 2")

        assert (again["instance"] == 0).mean() == near(0.25, len(again))

    def test_without_retries_users_stay_with_an_instance_that_fails(self):
        """Nothing takes it out: a quarter of the users, and not a quarter of the requests of each, see errors only."""
        faults = [{"at": "1s", "for": "9s", "service": "a", "instances": [0], "errors": "100%"}]
        rows = sent_to(kept(faults=faults))
        failed = rows[rows["started_ns"] >= 1.1 * SECOND].groupby("user")["status"].agg(lambda status: (status >= 500).mean())

        assert set(failed) == {0.0, 1.0}
        assert failed.mean() == near(0.25, 60)

    def test_an_ejected_host_loses_its_sessions_to_the_others(self):
        faults = [{"at": "1s", "for": "9s", "service": "a", "instances": [0], "errors": "100%"}]
        result = kept(traffic=EJECTING, faults=faults)
        late = second(sent_to(result), 3)

        assert set(late["instance"]) == {1, 2, 3}
        assert late.groupby("user")["instance"].nunique().max() == 1
        assert moved(result) > 0

    def test_failure_accrual_takes_them_too(self):
        """Linkerd's: after seven failures in a row nothing but a probe goes there."""
        faults = [{"at": "1s", "for": "9s", "service": "a", "instances": [0], "errors": "100%"}]
        result = kept(traffic={"failure_accrual": {"consecutive": {}}}, faults=faults)
        late = second(sent_to(result), 2)

        assert (late["instance"] == 0).sum() < 10
        assert moved(result) > 0

    def test_a_strict_session_gets_503_instead(self):
        """And keeps its cookie: no instance has answered that could have set another."""
        faults = [{"at": "1s", "for": "9s", "service": "a", "instances": [0], "errors": "100%"}]
        result = kept({"strict": True}, traffic=EJECTING, faults=faults)
        rows = sent_to(result)
        users = set(second(rows, 0).query("instance == 0")["user"])
        late = result.requests[result.requests["started_ns"] // SECOND == 3]

        assert set(late.loc[late["status"] == 503, "user"]) == users
        assert set(late.loc[late["status"] == 200, "user"]) == set(range(60)) - users
        assert (result.attempts["response_flags"][result.attempts["instance"] < 0].astype(str) == "UH").all()

    def test_in_a_panic_an_ill_host_is_not_the_sessions_but_may_be_drawn(self):
        """All four are ejected: sessions lead nowhere, and the balancer draws among all."""
        faults = [{"at": "1s", "for": "9s", "service": "a", "errors": "100%"}]
        result = kept(traffic={**EJECTING, "healthy_panic_threshold": "50%"}, faults=faults)
        late = second(sent_to(result), 3)

        assert (late.groupby("user")["instance"].nunique() > 1).all()

    def test_a_hedge_that_wins_has_the_session(self):
        """Instance 0 is slow from the second second: its users are served by hedges, and then no more by it."""
        faults = [{"at": "1s", "for": "9s", "service": "a", "instances": [0], "slow": 300}]
        route = {"hedge_policy": {"delay": "20ms", "max_hedges": 1}, "retries": {**RETRIES, "num_retries": 1}}
        rows = sent_to(kept(route=route, faults=faults))
        first, late = second(rows, 0), second(rows, 3)
        users = set(first.loc[first["instance"] == 0, "user"])

        assert users
        assert 0 not in set(late.loc[late["user"].isin(users), "instance"])


class TestComingAndGoing:
    def test_new_instances_get_nothing_from_whom_has_a_session(self):
        """Why sticky sessions defeat autoscaling; a ring hash moves a share of users to the new one."""
        scale = {"replicas": 4, "scale": [{"at": "1s", "replicas": 5}]}
        rows = sent_to(kept(a=scale))
        assert 4 not in set(rows["instance"])

        hashed = {"traffic": {"a": {"load_balancer": "ring_hash", "hash_on": "user"}}}
        late = second(sent_to(run({}, gateway=hashed, loads={"users": closed(300)}, a=scale)), 3)
        assert late.loc[late["instance"] == 4, "user"].nunique() / 300 == near(0.2, 300)

    def test_only_the_sessions_of_who_leaves_move(self):
        rows = sent_to(kept(a={"replicas": 4, "scale": [{"at": "1s", "replicas": 3}]}))
        first, late = (second(rows, at).groupby("user")["instance"].first() for at in (0, 3))

        assert (first[first != 3] == late[first != 3]).all()
        assert set(late[first == 3]) == {0, 1, 2}

    def test_a_new_pod_at_the_same_place_is_another_one(self):
        """A rolling restart ends every session, in strict mode with 503 for good: the address in the cookie is nobody's any more."""
        restarts = {"restarts": [{"at": "1s", "batch": 2}], "startup_time": "100ms"}
        free, strict = kept(a=restarts), kept({"strict": True}, a=restarts)
        first, late = (second(sent_to(free), at).groupby("user")["instance"].first() for at in (0, 3))

        assert (first == late).mean() == near(0.25, 60)
        assert (free.requests["status"] == 200).all()
        assert (second(strict.requests, 0)["status"] == 200).all()
        assert (second(strict.requests, 3)["status"] == 503).all()

    def test_a_cookie_that_ends_frees_them(self):
        result = kept(
            {"strict": True, "absolute_timeout": "2s"}, a={"restarts": [{"at": "1s", "batch": 2}], "startup_time": "100ms"}
        )
        late = result.requests[result.requests["started_ns"] > 2.5 * SECOND]

        assert (second(result.requests, 1)["status"] == 503).any()
        assert (late["status"] == 200).all()


@pytest.mark.parametrize("deployment", ["mesh", "none"])
def test_without_a_gateway_nobody_keeps_a_cookie(deployment):
    result = kept(deployment=deployment)

    assert (places(result) > 1).all()
