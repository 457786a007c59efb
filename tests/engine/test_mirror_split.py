"""Copies that nobody waits for, and shares of the subsets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scripted_calls import MS, Bench

import meshsim as ms
from meshsim.engines.reference.layers.mirror import MirrorLayer
from meshsim.engines.reference.layers.split import SplitLayer
from meshsim.engines.reference.time.outcome import OK
from meshsim.plan import Mirror
from meshsim.randomness import request_key

REQUESTS = ["request", "source", "number", "started_ns", "ended_ns", "status", "response_flags", "attempts"]


def run(route: dict[str, Any] | None = None, **parts: Any) -> ms.Result:
    """100 requests a second through a gateway to a service of 10 ms; beside it a service of 300 ms."""
    services = {
        "back": {"workers": 100, "script": [{"compute": "10ms"}], **parts.pop("back", {})},
        "shadow": {"workers": 100, "script": [{"compute": "300ms"}], **parts.pop("shadow", {})},
    }
    return ms.load(
        {
            "name": "shares",
            "deployment": "gateway",
            "load": {
                "clients": {
                    "executor": "constant-arrival-rate",
                    "arrivals": "poisson",
                    "rate": "100/s",
                    "requests": {"all": 1},
                    **parts.pop("load", {}),
                }
            },
            "gateway": {"routes": {"all": {"path": "/", "to": "back", **(route or {})}}, **parts.pop("gateway", {})},
            "services": {**services, **parts.pop("services", {})},
            "run": {"duration": "2s", "interval": "100ms"},
            **parts,
        }
    ).run()


def rows_of(result: ms.Result, service: str) -> Any:
    return result.attempts[result.attempts["service"] == service]


def mirror(share: str = "100%") -> dict[str, Any]:
    return {"mirror": {"to": "shadow", "share": share}}


class TestMirror:
    def test_the_originals_do_not_notice(self):
        """Not a byte of their rows but the number of the attempt differs; copies take 300 ms and all fail."""
        plain, mirrored = run(), run(mirror(), shadow={"errors": "100%"})

        assert plain.requests[REQUESTS].equals(mirrored.requests[REQUESTS])
        columns = [name for name in plain.attempts.columns if name != "id"]
        first, second = (rows_of(result, "back")[columns].astype(str).reset_index(drop=True) for result in (plain, mirrored))
        assert first.equals(second)

    def test_rows_of_copies_have_no_request_and_no_parent_and_are_first_tries(self):
        result = run(mirror())

        copies = rows_of(result, "shadow")
        assert len(copies) == len(result.requests) == result.destinations["mirrored"].sum()
        assert set(copies["request"]) == set(copies["parent"]) == {-1}
        assert set(copies["attempt"]) == {1}
        assert set(copies["caller"]) == {"(gateway)"}
        assert result.attempts["id"].is_unique
        assert sorted(copies["request_started_ns"]) == sorted(rows_of(result, "back")["sent_ns"])

    def test_figures_of_requests_do_not_count_copies(self):
        plain, mirrored = run().summary(), run(mirror(), shadow={"errors": "100%"}).summary()

        assert mirrored.total == plain.total

    def test_copies_burden_the_service_that_they_are_sent_to(self):
        result = run({"mirror": {"to": "back"}}, back={"workers": 1, "script": [{"compute": "6ms"}]})
        alone = run(back={"workers": 1, "script": [{"compute": "6ms"}]})

        assert len(rows_of(result, "back")) == 2 * len(result.requests)
        assert result.requests["latency_s"].mean() > 5 * alone.requests["latency_s"].mean()

    def test_what_a_copy_calls_is_a_copy_too(self):
        services = {"behind": {"workers": 100, "script": [{"compute": "1ms"}]}}
        result = run(mirror(), shadow={"script": [{"call": "behind"}]}, services=services)

        calls = rows_of(result, "behind")
        assert set(calls["request"]) == {-1}
        assert set(calls["parent"]) == set(rows_of(result, "shadow")["id"])

    def test_a_share_is_drawn_by_the_request_and_a_larger_one_copies_those_and_more(self):
        """200 requests or so: a share of 30 % within 4 standard deviations (odds 1 in 16,000)."""
        sent = {}
        for share in (0.3, 0.6):
            result = run(mirror(f"{share:.0%}"))
            sent[share] = set(rows_of(result, "shadow")["request_started_ns"])
            count = len(result.requests)
            assert len(sent[share]) == pytest.approx(share * count, abs=4 * np.sqrt(share * (1 - share) * count))
        assert sent[0.3] < sent[0.6]

    def test_no_share_is_no_mirror(self):
        assert len(rows_of(run(mirror("0%")), "shadow")) == 0

    def test_tries_of_a_request_are_one_copy(self):
        """Envoy's router mirrors when the request has come, whatever becomes of its tries."""
        result = run({**mirror(), "retries": {"num_retries": 2, "retry_on": ["5xx"]}}, back={"errors": "100%"})

        assert set(result.requests["attempts"]) == {3}
        assert len(rows_of(result, "shadow")) == len(result.requests)

    def test_a_copy_is_never_tried_again(self):
        result = run({**mirror(), "retries": {"num_retries": 2, "retry_on": ["5xx"]}}, shadow={"errors": "100%"})

        assert len(rows_of(result, "shadow")) == len(result.requests)
        assert set(rows_of(result, "shadow")["response_flags"]) == {"error"}

    @pytest.mark.parametrize(("timeout", "flag", "length_ms"), [("50ms", "UT", 50), ("400ms", "-", 300), ("none", "-", 300)])
    def test_a_copy_has_the_timeout_of_the_original(self, timeout, flag, length_ms):
        result = run({**mirror(), "timeout": timeout})

        copies = rows_of(result, "shadow")
        assert set(copies["response_flags"]) == {flag}
        assert set(copies["ended_ns"] - copies["sent_ns"]) == {length_ms * MS}
        assert set(result.requests["response_flags"]) == {"-"}

    def test_so_it_has_in_a_mesh_whatever_is_said_for_calls_to_that_service(self):
        """A sidecar's copy goes to the cluster: the timeout and the retries of the routes to it are not its own."""
        traffic = {
            "back": {"mirror": {"to": "shadow"}, "timeout": "200ms"},
            "shadow": {"timeout": "50ms", "retries": {"num_retries": 3, "retry_on": ["5xx"], "per_try_timeout": "20ms"}},
        }
        services = {"front": {"workers": 100, "script": [{"call": "back"}]}}
        gateway = {"routes": {"all": {"path": "/", "to": "front"}}}
        result = run(deployment="gateway+mesh", services=services, gateway=gateway, mesh={"traffic": traffic})

        copies = rows_of(result, "shadow")
        assert len(copies) == len(rows_of(result, "back")) == len(result.requests)
        assert set(copies["caller"]) == {"front"}
        assert set(copies["response_flags"]) == {"UT"}
        assert set(copies["ended_ns"] - copies["sent_ns"]) == {200 * MS}

    def test_a_mirror_that_mirrors_itself_ends(self):
        traffic = {"back": {"mirror": {"to": "shadow"}}, "shadow": {"mirror": {"to": "back"}}}
        result = run(gateway={"routes": {"all": {"path": "/", "to": "back"}}, "traffic": traffic})

        assert len(rows_of(result, "back")) == len(rows_of(result, "shadow")) == len(result.requests)

    def test_the_call_itself_goes_on_at_once(self):
        bench = Bench()
        original, copies = bench.script((10, OK)), bench.script((500, OK))

        bench.run(MirrorLayer(original, copies, Mirror(0, 1.0), bench.view))

        assert (bench.ended_ms, original.started_ms, copies.started_ms) == (10, [0], [0])
        assert copies.answered_ms == {1: 500}
        assert original.calls[0].request.tries == copies.calls[0].request.tries == 1
        assert original.keys != copies.keys  # what it draws is its own


class TestSplit:
    def test_shares_are_those_of_the_weights(self):
        """20,000 keys, each share within 4 standard deviations (odds 1 in 5,000 for three of them, at a fixed seed)."""
        bench = Bench()
        counts = [0, 0, 0]

        class Part:
            def __init__(self, number: int) -> None:
                self.number = number

            def call(self, _: Any) -> Any:
                counts[self.number] += 1

        layer = SplitLayer((Part(0), Part(1), Part(2)), (0.5, 0.9, 1.0), (0, 1, 2))
        for number in range(20_000):
            layer.call(bench.call(request_key(7, number)))
        for count, share in zip(counts, (0.5, 0.4, 0.1), strict=True):
            assert count == pytest.approx(20_000 * share, abs=4 * np.sqrt(20_000 * share * (1 - share)))

    def split(self, weights: dict[str, float], **parts: Any) -> ms.Result:
        back = {"subsets": {"v1": 1, "v2": 2}, "replicas": 3, **parts.pop("back", {})}
        gateway = {
            "routes": {"all": {"path": "/", "to": "back", **parts.pop("route", {})}},
            "traffic": {"back": {"split": weights, **parts.pop("traffic", {})}},
        }
        return run(back=back, gateway=gateway, **parts)

    @pytest.mark.parametrize(
        ("weights", "instances"),
        [({"v1": 1}, {0}), ({"v2": 5}, {1, 2}), ({"v1": 0, "v2": 1}, {1, 2}), ({"v1": 1, "v2": 1}, {0, 1, 2})],
    )
    def test_a_request_goes_to_the_instances_of_its_subset(self, weights, instances):
        assert set(rows_of(self.split(weights), "back")["instance"]) == instances

    def test_a_share_is_of_requests_and_not_of_instances(self):
        """One instance in three gets nine tenths: of 200 or so, within 4 standard deviations."""
        rows = rows_of(self.split({"v1": 90, "v2": 10}), "back")
        assert (rows["instance"] == 0).mean() == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / len(rows)))

    def test_all_tries_of_a_proxy_stay_in_the_subset_and_a_clients_retry_is_a_new_request(self):
        retries = {"num_retries": 3, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "1ms"}}
        failing = {"errors": "100%"}
        proxys = rows_of(self.split({"v1": 1, "v2": 1}, route={"retries": retries}, back=failing), "back")
        clients = rows_of(self.split({"v1": 1, "v2": 1}, load={"retries": retries}, back=failing), "back")

        subsets = {
            name: rows.assign(subset=rows["instance"] > 0).groupby("request")["subset"].nunique()
            for name, rows in (("proxy", proxys), ("client", clients))
        }
        assert (subsets["proxy"] == 1).all()
        assert (subsets["client"] == 2).mean() == pytest.approx(1 - 2 / 2**4, abs=0.1)

    def test_each_subset_is_a_cluster_of_its_own(self):
        """A breaker that v1 has opened lets v2 be; limits are per subset too."""
        result = self.split(
            {"v1": 1, "v2": 1},
            traffic={"circuit_breaker": {"minimum_number_of_calls": 5}},
            faults=[{"at": "0s", "for": "1h", "service": "back", "subset": "v1", "errors": "100%"}],
        )

        rejected = result.destinations.groupby("subset", observed=True)["breaker_rejected"].sum()
        assert rejected["v1"] > 50
        assert rejected["v2"] == 0
        late = result.requests[result.requests["started_ns"] > 500 * MS]
        assert (late["status"] == 200).mean() == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / len(late)))

    def test_a_split_leaves_everything_else_that_a_request_draws_alone(self):
        """Service times are those of the same requests without a split."""
        work = {"script": [{"compute": {"exponential": {"mean": "10ms"}}}]}
        split, whole = self.split({"v1": 1, "v2": 1}, back=work), run(back={"replicas": 3, **work})

        assert split.requests["latency_s"].tolist() == whole.requests["latency_s"].tolist()
