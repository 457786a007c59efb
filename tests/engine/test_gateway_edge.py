"""Between clients and the gateway: connections, handshakes, slow links, replicas that go and come."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import meshsim as ms
from meshsim.engines.reference.proxies.replicas import Replicas
from meshsim.engines.reference.time.clock import Clock
from meshsim.plan import NONE, Edge
from meshsim.policies.edge import TakeTurns

MS = 1_000_000
SECOND = 1_000_000_000


def user(count: int = 1, think: str | None = None, **settings: Any) -> dict[str, Any]:
    made = {"executor": "constant-vus", "vus": count, "requests": {"all": 1}, **settings}
    return made if think is None else {**made, "think_time": think}


def scenario(
    gateway: dict[str, Any] | None = None, load: dict[str, Any] | None = None, *, wire: str = "1ms", **parts: Any
) -> dict[str, Any]:
    """One user of a gateway with one replica, 1 ms of network on each link, and a service of 5 ms."""
    back = {"workers": 1000, "script": [{"compute": "5ms"}], **parts.pop("back", {})}
    return {
        "name": "edge",
        "deployment": "gateway",
        "load": parts.pop("loads", {"users": user(**load) if load else user()}),
        "gateway": {"routes": {"all": {"path": "/", "to": "back"}}, **(gateway or {})},
        "services": {"back": back},
        "network": {"same_zone": wire},
        "run": {"duration": "1s", "interval": "100ms", **parts.pop("run", {})},
        **parts,
    }


def run(*args: Any, seed: int = 1, **parts: Any) -> ms.Result:
    return ms.load(scenario(*args, **parts)).run(seed=seed)


def latencies_ms(result: ms.Result) -> list[float]:
    requests = result.requests
    return ((requests["ended_ns"] - requests["started_ns"]) / MS).tolist()


def totals(result: ms.Result) -> dict[str, int]:
    """What became of connections, over all replicas and the whole run."""
    return {name: int(result.proxies[name].sum()) for name in ("opened", "handshakes", "resumed", "refused")}


def at_clients(result: ms.Result) -> Any:
    return result.waits[result.waits["caller"].astype(str) == "(client)"]


ONCE = {"requests_per_connection": 1}
TLS = {"tls": {"handshake_time": "3ms", "resumed_handshake_time": "1ms"}}
REQUEST = 9.0
"""ms: 1 to the gateway, 1 to the service, 5 there, and 2 back."""


class TestHandshakes:
    """To the nanosecond: TCP is a round trip of 2 ms, each of TLS another, and then its work at the replica."""

    def test_the_first_request_pays_for_the_connection(self):
        assert latencies_ms(run({"max_connections": 5}))[:4] == [2 + REQUEST, REQUEST, REQUEST, REQUEST]

    @pytest.mark.parametrize(("round_trips", "tls_ms"), [(0, 3), (1, 5), (2, 7)])
    def test_tls_takes_its_round_trips_and_its_work(self, round_trips, tls_ms):
        result = run({"tls": {"handshake_time": "3ms", "round_trips": round_trips}})

        assert latencies_ms(result)[:3] == [2 + tls_ms + REQUEST, REQUEST, REQUEST]
        (wait,) = at_clients(result).to_dict("records")
        assert (wait["connection_ns"], wait["tls_ns"]) == ((2 + tls_ms) * MS, tls_ms * MS)
        assert wait["ended_ns"] == (2 + tls_ms) * MS

    def test_a_session_is_resumed_for_less_work(self):
        result = run(TLS, ONCE)

        assert set(latencies_ms(result)[1:]) == {2 + 2 + 1 + REQUEST}
        made = totals(result)
        assert made["opened"] == made["handshakes"] == made["resumed"] + 1 == len(result.requests)

    def test_where_sessions_are_not_resumed_all_handshakes_are_full(self):
        result = run({"tls": {**TLS["tls"], "session_resumption": False}}, ONCE)

        assert set(latencies_ms(result)) == {2 + 2 + 3 + REQUEST}
        assert totals(result)["resumed"] == 0

    def test_times_are_those_of_mutual_tls_where_none_are_written(self):
        result = run({"tls": {}}, ONCE, defaults="envoy", wire="0s")
        times = at_clients(result)["tls_ns"]
        assert 0 < times.iloc[1] < times.iloc[0]

    def test_the_work_holds_a_worker_of_the_replica(self):
        """Ten users at once and one worker: the tenth handshake ends after 30 ms."""
        result = run({**TLS, "workers": 1}, {"count": 10})
        assert sorted(at_clients(result)["connection_ns"] / MS) == [4 + 3 * number for number in range(1, 11)]

    def test_handshakes_hold_up_the_requests_of_others(self):
        """Those with a connection wait for workers that shake hands: the storm hurts everybody."""
        calm = {"calm": user(1, "10ms")}
        storm = {**calm, "storm": user(30, "10ms", **ONCE, start="300ms")}
        gateway = {"tls": {"handshake_time": "5ms", "session_resumption": False}, "workers": 1, "proxy_time": "100us"}
        latency = {}
        for name, loads in (("calm", calm), ("storm", storm)):
            requests = run(gateway, loads=loads).requests
            calm_ones = requests[(requests["source"] == "calm") & (requests["started_ns"] > 400 * MS)]
            latency[name] = (calm_ones["ended_ns"] - calm_ones["started_ns"]).mean() / MS
        assert latency["calm"] == pytest.approx(REQUEST + 0.1)
        assert latency["storm"] > 5 * latency["calm"]

    def test_a_distribution_is_drawn_for_each_trip(self):
        result = run(TLS, ONCE, wire={"exponential": {"mean": "1ms"}})
        assert at_clients(result)["connection_ns"].nunique() > 10


TURNS: dict[str, Any] = {"replicas": 2, "balancer": "take_turns"}


class TestTickets:
    """Two replicas in turn, a connection for each request: every one goes to the other replica."""

    def resumed(self, gateway: dict[str, Any], **tls: Any) -> tuple[int, int]:
        result = run({**gateway, "tls": {**TLS["tls"], **tls}}, ONCE)
        return totals(result)["resumed"], len(result.requests)

    def test_a_process_reads_only_its_own(self):
        """The corner: behind a balancer with turns nothing is ever resumed."""
        resumed, count = self.resumed(TURNS)
        assert count > 50
        assert resumed == 0

    def test_shared_keys_let_any_replica_resume(self):
        resumed, count = self.resumed(TURNS, shared_ticket_keys=True)
        assert resumed == count - 1

    def test_a_balancer_that_keeps_clients_where_they_are_does_too(self):
        resumed, count = self.resumed({**TURNS, "balancer": "source_hash"})
        assert resumed == count - 1

    @pytest.mark.parametrize(("shared", "full"), [(False, 2), (True, 1)])
    def test_a_restart_forgets_the_key_unless_it_is_shared(self, shared, full):
        gateway = {"tls": {**TLS["tls"], "shared_ticket_keys": shared}, "restarts": [{"at": "500ms"}]}
        made = totals(run(gateway, {**ONCE, "think": "10ms"}))
        assert made["handshakes"] - made["resumed"] == full

    def test_each_user_has_a_session_of_its_own(self):
        made = totals(run(TLS, {**ONCE, "count": 7}))
        assert made["handshakes"] - made["resumed"] == 7

    def test_who_gives_up_in_the_handshake_has_no_session(self):
        result = run({"tls": {"handshake_time": "50ms"}}, {"timeout": "20ms", "think": "10ms"})
        assert totals(result)["handshakes"] > 20
        assert totals(result)["resumed"] == 0
        assert result.proxies["connections"].iloc[-1] == 0


class TestConnections:
    @pytest.mark.parametrize(("idle", "think", "is_kept"), [("40ms", "50ms", False), ("60ms", "50ms", True)])
    def test_an_idle_one_is_closed_after_its_timeout(self, idle, think, is_kept):
        result = run({"idle_timeout": idle}, {"think": think})
        assert totals(result)["opened"] == (1 if is_kept else len(result.requests))
        assert set(latencies_ms(result)[1:]) == {REQUEST if is_kept else 2 + REQUEST}

    def test_a_request_that_takes_long_is_not_idle(self):
        result = run({"idle_timeout": "10ms"}, back={"script": [{"compute": "100ms"}]}, load={"think": "1ms"})
        assert totals(result)["opened"] == 1

    def test_what_was_closed_counts_no_more(self):
        proxies = run({"idle_timeout": "40ms"}, {"think": "1s"}, run={"duration": "500ms"}).proxies
        assert proxies["connections"].tolist()[0] == 0

    @pytest.mark.parametrize("most", [1, 3, 10])
    def test_a_client_closes_after_so_many_requests(self, most):
        result = run({}, {"requests_per_connection": most})
        count = len(result.requests)
        assert totals(result)["opened"] == -(-count // most)
        assert [latency > REQUEST for latency in latencies_ms(result)] == [number % most == 0 for number in range(count)]

    def test_no_limit_is_one_for_ever(self):
        assert totals(run({"max_connections": 9}))["opened"] == 1

    def test_an_open_load_shares_as_many_as_it_needs_at_once(self):
        """Ten a second of 9 ms each, evenly spaced, need one; of 350 ms each four at once."""
        load = {"executor": "constant-arrival-rate", "rate": "10/s", "arrivals": "even", "requests": {"all": 1}}
        gateway = {"max_connections": 100}
        assert totals(run(gateway, loads={"open": load}))["opened"] == 1
        assert totals(run(gateway, loads={"open": load}, back={"script": [{"compute": "344ms"}]}))["opened"] == 4

    def test_addresses_do_not_share_connections(self):
        load = {
            "executor": "constant-arrival-rate",
            "rate": "400/s",
            "arrivals": "even",
            "requests": {"all": 1},
            "addresses": 5,
        }
        opened = totals(run({"max_connections": 1000}, loads={"open": load}))["opened"]
        assert opened >= 5

    def test_no_more_than_the_most_are_open(self):
        """Three users, two connections: the third is refused after its round trip, with UF and no attempt."""
        result = run({"max_connections": 2}, {"count": 3})
        refused = result.requests[result.requests["status"] == 503]

        assert set(refused["response_flags"]) == {"UF"}
        assert set(refused["user"]) == {2}
        assert set((refused["ended_ns"] - refused["started_ns"]) / MS) == {2}
        assert set(refused["attempts"]) == {0}
        assert totals(result)["refused"] == len(refused) > 100
        assert result.proxies["connections"].max() == 2
        assert set(result.requests.loc[result.requests["user"] < 2, "status"]) == {200}

    def test_who_leaves_makes_room(self):
        result = run({"max_connections": 2}, {"count": 3, **ONCE})
        assert set(result.requests.loc[result.requests["status"] == 200, "user"]) == {0, 1, 2}

    def test_a_client_that_gives_up_closes_its_connection(self):
        """HTTP/1.1 has no other way to say so; the next request pays for a new one."""
        result = run({"max_connections": 9}, {"timeout": "8ms", "think": "1ms"})
        assert totals(result)["opened"] == len(result.requests)
        assert set(result.requests["response_flags"]) == {"DC"}
        assert result.proxies["connections"].iloc[-1] == 0

    def test_a_retry_goes_over_the_connection_that_is_there(self):
        retries = {"num_retries": 2, "retry_on": ["5xx"]}
        result = run({"max_connections": 9}, {"retries": retries}, back={"errors": "100%"})
        assert totals(result)["opened"] == 1


class TestSlowLinks:
    """100 KiB a second: 10 ms for each KiB."""

    def latency_ms(self, gateway: dict[str, Any] | None = None, body: str = "0B", response: str = "0B", **load: Any) -> float:
        load = {"bandwidth": "100KiB", "body": body, **load}
        return latencies_ms(run(gateway, load, back={"response_size": response}))[1]

    def test_without_bodies_nothing_takes_longer(self):
        assert self.latency_ms() == REQUEST

    def test_upload_and_download_take_their_time(self):
        assert self.latency_ms(body="3KiB") == REQUEST + 30
        assert self.latency_ms(response="5KiB") == REQUEST + 50
        assert self.latency_ms(body="3KiB", response="5KiB") == REQUEST + 80

    def test_large_bodies_have_no_larger_answers(self):
        """Of the bodies up to the median, half of the answers are larger than theirs: the two sizes are drawn apart."""
        sizes = {"p50": "1KiB", "p99": "10KiB"}
        gateway = {"filters": [{"buffer": {"max_request_bytes": "1KiB"}}]}
        load = user(20, "10ms", bandwidth="100KiB", body=sizes)
        found = run(gateway, loads={"users": load}, back={"response_size": sizes}, run={"duration": "5s"}).requests
        passed = found[(found["status"] == 200) & (found["started_ns"] > SECOND)]
        is_long = passed["ended_ns"] - passed["started_ns"] > (REQUEST + 20) * MS
        assert len(passed) > 200
        assert 0.2 < is_long.mean() < 0.5

    def test_twice_the_bandwidth_is_half_the_time(self):
        assert self.latency_ms(response="5KiB", bandwidth="200KiB") == REQUEST + 25

    def test_the_upload_comes_before_the_service_and_the_download_after_it(self):
        result = run(None, {"bandwidth": "100KiB", "body": "3KiB"}, back={"response_size": "5KiB"})
        first = result.attempts.iloc[0]
        assert first["sent_ns"] == (2 + 30 + 1) * MS
        assert result.requests.iloc[0]["ended_ns"] - first["ended_ns"] == 51 * MS

    def test_an_answer_is_as_large_as_its_parts_together(self):
        routes = {"all": {"path": "/", "to": "back", "aggregate": [{"call": "more"}, {"call": "back"}]}}
        services = {name: {"workers": 1000, "response_size": size} for name, size in (("back", "5KiB"), ("more", "2KiB"))}
        load = {"bandwidth": "100KiB"}
        assert latencies_ms(run({"routes": routes}, load, services=services))[1] == 4 + 50 + 20 + 50

        cached = {"routes": routes, "filters": [{"cache": {"ttl": "10s", "key": "route"}}]}
        assert latencies_ms(run(cached, load, services=services))[1] == 2 + 50 + 20 + 50

    @pytest.mark.parametrize(("ratio", "download_ms"), [(1, 50), (2, 25), (5, 10)])
    def test_compression_shortens_the_download(self, ratio, download_ms):
        compress = {"filters": [{"compress": {"ratio": ratio, "time_per_kib": "0s"}}]}
        assert self.latency_ms(compress, response="5KiB") == REQUEST + download_ms

    def test_and_costs_its_work(self):
        compress = {"filters": [{"compress": {"ratio": 5, "time_per_kib": "1ms"}}]}
        assert self.latency_ms(compress, response="5KiB") == REQUEST + 10 + 5

    def test_it_does_not_shorten_the_upload(self):
        compress = {"filters": [{"compress": {"ratio": 5, "time_per_kib": "0s"}}]}
        assert self.latency_ms(compress, body="3KiB") == REQUEST + 30

    def test_a_slow_client_holds_its_connection_and_no_worker(self):
        """One worker, two users that take 500 ms to download: neither waits for the other."""
        result = run({"workers": 1, "proxy_time": "1ms"}, {"count": 2, "bandwidth": "10KiB"}, back={"response_size": "5KiB"})
        assert max(latencies_ms(result)) == 2 + 500 + REQUEST + 2
        assert result.proxies["connections"].max() == 2

    def test_what_the_gateway_answers_itself_has_no_body(self):
        """A 503 of a filter is not as large as the page that it stands for."""
        refuses = {"filters": [{"fault": {"abort": {"http_status": 503, "percentage": "100%"}}}]}
        assert self.latency_ms(refuses, response="5KiB") == 2


class TestBalancers:
    def opened(self, balancer: Any, load: dict[str, Any], replicas: int = 4) -> list[int]:
        proxies = run({"replicas": replicas, "balancer": balancer}, load).proxies
        return proxies.groupby("instance")["opened"].sum().tolist()

    def test_turns_are_even(self):
        assert self.opened("take_turns", {"count": 20}) == [5, 5, 5, 5]

    def test_least_connections_sees_those_on_their_way(self):
        """All 20 begin at one instant, before any is open."""
        assert self.opened("least_connections", {"count": 20}) == [5, 5, 5, 5]

    def test_least_connections_forgets_those_that_have_come_and_gone(self):
        """One after the other there is nobody on any replica each time, and the first of equals is picked."""
        assert self.opened("least_connections", ONCE)[1:] == [0, 0, 0]

    def test_one_address_is_one_replica(self):
        assert sorted(self.opened("source_hash", {"count": 20})) == [0, 0, 0, 20]
        assert sum(one > 0 for one in self.opened("source_hash", {"count": 20, "addresses": 20})) >= 3

    def test_random_ones_are_uneven(self):
        """Of 200 connections 50 each within 4 standard deviations (24.5), odds 1 in 4,000; and not all alike."""
        opened = self.opened("random_replica", {"count": 200})
        assert sum(opened) == 200
        assert all(abs(one - 50) <= 24.5 for one in opened)
        assert len(set(opened)) > 1

    def test_dns_gives_each_address_one_replica(self):
        opened = self.opened({"dns_round_robin": {"ttl": "1h"}}, {"count": 20, "addresses": 4, **ONCE})
        assert all(one > 0 for one in opened)
        assert sorted(self.opened({"dns_round_robin": {"ttl": "1h"}}, {"count": 20, **ONCE}))[:3] == [0, 0, 0]

    def test_all_requests_of_a_connection_go_to_its_replica(self):
        result = run({"replicas": 3, "balancer": "take_turns"}, {"count": 6})
        rows = result.attempts.merge(result.requests[["request", "user"]], on="request")
        assert (rows.groupby("user")["proxy"].nunique() == 1).all()

    def test_without_any_of_it_each_request_goes_to_a_random_replica_for_nothing(self):
        result = run({"replicas": 3})
        assert set(latencies_ms(result)) == {REQUEST}
        assert result.attempts["proxy"].nunique() == 3
        assert totals(result) == {"opened": 0, "handshakes": 0, "resumed": 0, "refused": 0}

    def test_another_seed_begins_elsewhere(self):
        first = {
            run({"replicas": 5, "balancer": "take_turns"}, seed=seed, run={"duration": "20ms"}).attempts["proxy"].iloc[0]
            for seed in range(12)
        }
        assert len(first) > 1


DRAIN = {"restarts": [{"at": "500ms"}], "drain_time": "100ms", "startup_time": "50ms"}


class TestRestarts:
    def test_the_next_answer_of_a_replica_that_drains_closes_its_connection(self):
        """Two replicas: the user goes over to the other one and loses nothing but a handshake."""
        result = run({"replicas": 2, "balancer": "take_turns", **DRAIN}, {"think": "1ms"})
        assert set(result.requests["status"]) == {200}
        requests = result.requests
        slow = requests[(requests["ended_ns"] - requests["started_ns"]) > REQUEST * MS]
        assert slow.iloc[0]["started_ns"] == 0
        assert 2 <= len(slow) <= 3
        for number in slow["request"].iloc[1:]:
            before = requests[requests["request"] == number - 1].iloc[0]
            drains_from = 500 * MS if before["ended_ns"] < 650 * MS else 650 * MS
            assert before["started_ns"] - 1 * MS <= drains_from <= before["ended_ns"] + REQUEST * MS

    def test_a_single_replica_answers_nothing_from_its_draining_to_its_start(self):
        result = run(DRAIN, {"think": "1ms"})
        requests = result.requests
        lost = requests[requests["status"] == 503]

        assert set(lost["response_flags"]) == {"UF"}
        assert lost["started_ns"].min() >= 500 * MS
        assert lost["started_ns"].max() < 650 * MS
        ok = requests[requests["status"] == 200]
        assert not ((ok["started_ns"] > 511 * MS) & (ok["started_ns"] < 650 * MS)).any()
        assert ok["started_ns"].max() > 900 * MS
        assert set((lost["ended_ns"] - lost["started_ns"]).tolist()) == {0}

    def test_what_is_in_it_at_the_end_is_cut(self):
        result = run(DRAIN, back={"script": [{"compute": "300ms"}]})
        cut = result.requests[result.requests["response_flags"] == "UC"]

        assert cut["status"].tolist() == [503]
        assert cut["ended_ns"].tolist() == [600 * MS]

    def test_a_longer_drain_lets_it_end(self):
        result = run({**DRAIN, "drain_time": "300ms"}, back={"script": [{"compute": "300ms"}]})
        assert "UC" not in set(result.requests["response_flags"])

    def test_without_a_drain_the_end_is_at_once(self):
        result = run({"restarts": [{"at": "503ms"}]}, {"count": 5})
        cut = result.requests[result.requests["response_flags"] == "UC"]
        assert len(cut) == 5
        assert set(cut["ended_ns"]) == {503 * MS}
        assert set(result.proxies["connections"]) == {5}

    @pytest.mark.parametrize("stage", ["upload", "download", "filter", "parts", "handshake"])
    def test_it_is_cut_wherever_it_is(self, stage):
        gateway, load, route = dict(DRAIN), {}, {}
        if stage == "upload":
            load = {"bandwidth": "1KiB", "body": "1KiB"}
        elif stage == "download":
            load = {"bandwidth": "1KiB"}
        elif stage == "filter":
            gateway["filters"] = [{"fault": {"delay": {"fixed_delay": "900ms", "percentage": "100%"}}}]
        elif stage == "parts":
            route = {"aggregate": [{"call": "back", "optional": True}]}
        elif stage == "handshake":
            gateway["tls"] = {"handshake_time": "900ms"}
        gateway["routes"] = {"all": {"path": "/", "to": "back", **route}}
        slow = "900ms" if stage == "parts" else "1ms"
        result = run(gateway, load, back={"script": [{"compute": slow}], "response_size": "1KiB", "on_cancel": "stop"})

        first = result.requests.iloc[0]
        assert first["status"] == 503
        assert first["response_flags"] == ("UF" if stage == "handshake" else "UC")
        assert first["ended_ns"] == (904 * MS if stage == "handshake" else 600 * MS)
        if stage == "parts":
            assert set(result.attempts["ended_ns"][:2]) == {600 * MS}

    def test_the_client_may_try_a_cut_request_again(self):
        retries = {"num_retries": 5, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "50ms"}}
        result = run(DRAIN, {"retries": retries}, back={"script": [{"compute": "300ms"}]})
        assert "UC" not in set(result.requests["response_flags"])
        again = result.requests[result.requests["attempts"] > 1]
        assert len(again) == 1
        assert again.iloc[0]["ended_ns"] > 650 * MS

    def test_connections_of_a_process_end_with_it(self):
        proxies = run({**DRAIN, "drain_time": "0s", "startup_time": "300ms"}, {"count": 5, "think": "10s"}).proxies
        by_time = dict(zip(proxies["time_ns"] // (100 * MS), proxies["connections"], strict=False))
        assert by_time[4] == 5
        assert by_time[6] == 0

    def test_a_new_process_remembers_no_limit(self):
        """A bucket of 10 and no refill in the run: after the restart there are 10 more."""
        bucket = {"token_bucket": {"max_tokens": 10, "tokens_per_fill": 1, "fill_interval": "1h"}}
        restart = {"restarts": [{"at": "500ms"}]}
        ok = {
            bool(more): int(
                (run({"filters": [{"rate_limit": bucket}], **more, "max_connections": 9}).requests["status"] == 200).sum()
            )
            for more in ({}, restart)
        }
        assert ok == {False: 10, True: 20}

    @pytest.mark.parametrize("replicas", [1, 2])
    def test_a_global_limit_is_remembered_by_its_service(self, replicas):
        """The counters are not in the process that has been restarted: 20 requests in an hour stay 20."""
        rules = [{"limit": {"fixed_window": {"requests": 20, "window": "1h"}}}]
        filters = [{"global_rate_limit": {"service": "limits", "rules": rules, "timeout": "100ms"}}]
        services = {"back": {"script": [{"compute": "5ms"}]}, "limits": {"script": [{"compute": "1ms"}]}}
        gateway = {"filters": filters, "replicas": replicas, "restarts": [{"at": "500ms"}], "startup_time": "10ms"}
        result = run(gateway, services=services)
        assert int((result.requests["status"] == 200).sum()) == 20


class TestDnsAnswers:
    def test_clients_go_on_calling_a_replica_that_has_gone_until_their_answer_is_too_old(self):
        """Two replicas; each restart takes 2 s. Answers are a second old at most: no longer is one of the two users refused."""
        gateway = {
            "replicas": 2,
            "balancer": {"dns_round_robin": {"ttl": "1s"}},
            "restarts": [{"at": "500ms"}],
            "startup_time": "2s",
        }
        result = run(gateway, {"count": 2, "addresses": 2, "think": "10ms", **ONCE}, run={"duration": "2s"}, seed=6)
        lost = result.requests[result.requests["status"] == 503]

        assert lost["user"].nunique() == 1
        assert set(lost["response_flags"]) <= {"UF", "UC"}
        refused = lost[lost["response_flags"] == "UF"]
        assert refused["started_ns"].min() < 530 * MS
        assert 530 * MS < refused["started_ns"].max() < 1500 * MS
        assert totals(result)["refused"] == len(refused) > 10

    def test_a_balancer_that_knows_loses_nobody(self):
        gateway = {
            "replicas": 2,
            "balancer": "take_turns",
            "restarts": [{"at": "500ms"}],
            "startup_time": "2s",
            "drain_time": "50ms",
        }
        result = run(gateway, {"count": 2, "think": "10ms", **ONCE}, run={"duration": "2s"})
        assert set(result.requests["status"]) == {200}


class Rolled:
    """Four replicas by themselves, and what each of them is at some instants."""

    def __init__(
        self, *restarts: tuple[float, int], drain_ms: int = 100, startup_ms: int = 200, order: tuple[int, ...] = (0, 1, 2, 3)
    ) -> None:
        self.clock = Clock()
        self.renewed: list[tuple[int, int]] = []
        edge = Edge(
            balancer=TakeTurns(), tls=None, connection_ns=0, max_connections=NONE, idle_timeout_ns=0,
            restarts=tuple((round(at_ms * MS), batch) for at_ms, batch in restarts), order=order,
            startup_ns=startup_ms * MS, drain_ns=drain_ms * MS,
        )  # fmt: skip
        proxies = tuple(SimpleNamespace(index=index, zone=0, station=None) for index in range(4))
        self.replicas = Replicas(self.clock, edge, proxies, 0, self._renew)  # type: ignore[arg-type]
        self.replicas.begin()

    def _renew(self, index: int) -> None:
        self.renewed.append((self.clock.now_ns // MS, index))

    def states(self, *at_ms: float) -> list[str]:
        """A letter for each replica at each instant: ready, draining, or down."""
        seen: list[str] = []
        for one in at_ms:
            self.clock.call_at(round(one * MS), lambda: seen.append("".join(map(_letter, self.replicas.all))))
        self.clock.run_all(lambda: None)
        return seen


def _letter(replica: Any) -> str:
    return "-" if not replica.is_ready else "d" if replica.is_draining else "r"


class TestRolling:
    def test_some_at_a_time_and_the_next_when_those_are_ready(self):
        rolled = Rolled((1000, 2))
        assert rolled.states(999, 1001, 1099, 1101, 1299, 1301, 1399, 1401, 1599, 1601) == [
            "rrrr", "ddrr", "ddrr", "--rr", "--rr", "rrdd", "rrdd", "rr--", "rr--", "rrrr"
        ]  # fmt: skip
        assert rolled.renewed == [(1300, 0), (1300, 1), (1600, 2), (1600, 3)]

    @pytest.mark.parametrize(
        ("batch", "states"),
        [(1, ["-rrr", "r-rr", "rr-r", "rrr-"]), (3, ["---r", "rrr-", "rrrr", "rrrr"]), (9, ["----", "rrrr", "rrrr", "rrrr"])],
    )
    def test_batches(self, batch, states):
        assert Rolled((1000, batch)).states(1200, 1500, 1800, 2100) == states

    def test_batches_are_of_the_order_that_spreads_them_over_zones(self):
        assert Rolled((1000, 2), order=(0, 2, 1, 3)).states(1200, 1500, 1800) == ["-r-r", "r-r-", "rrrr"]

    def test_a_second_restart_waits_for_the_first(self):
        """Otherwise a replica that has just come would be taken for one that is to go, and a batch of 1 would be two at once."""
        rolled = Rolled((1000, 1), (1500, 1))
        down = [state.count("-") + state.count("d") for state in rolled.states(*range(950, 3500, 50))]
        assert max(down) == 1
        assert [index for _, index in rolled.renewed] == [0, 1, 2, 3, 0, 1, 2, 3]
        assert {replica.incarnation for replica in rolled.replicas.all} == {2}

    def test_a_process_that_was_restarted_twice_has_another_number_each_time(self):
        rolled = Rolled((1000, 4), (2000, 4))
        rolled.states(5000)
        assert {replica.incarnation for replica in rolled.replicas.all} == {2}
