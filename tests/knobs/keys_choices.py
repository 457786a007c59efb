"""Keys that choose a policy by its name, and the mappings inside of policies: each choice against another one, or against none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keys_measures as measure
from keys_traffic import IN_ZONES
from keys_worlds import ONE_FAILS, RANDOM_WORK, Section, back_is, gateway_world, mesh_world, traffic_to_back
from rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable

BURST = {"rate": "300/s", "arrivals": "poisson"}
BROKEN = {"errors": "100%"}
TRIES = {"num_retries": 2, "retry_on": ["5xx"]}
LONGER: dict[str, Section] = {
    "constant": {"value": "20ms"},
    "empirical": {"values": ["20ms", "30ms"]},
    "exponential": {"mean": "40ms"},
    "gamma": {"mean": "20ms", "cv": 0.2},
    "lognormal": {"p50": "20ms", "p99": "40ms"},
    "mixture": {"of": [{"weight": 1, "time": "20ms"}, {"weight": 1, "time": "30ms"}]},
    "pareto": {"minimum": "20ms", "alpha": 3},
    "weibull": {"mean": "20ms", "shape": 3},
}
BALANCERS: dict[str, tuple[Section, Callable[..., float]]] = {
    "aperture": ({"min_aperture": 1}, measure.latency),
    "client_side_weighted_round_robin": ({}, measure.spread),
    "deterministic_subsetting": ({"subset_size": 2, "load_balancer": "random"}, measure.instances_used),
    "least_reported_load": ({"report_interval": "0s"}, measure.latency),
    "least_request": ({"choice_count": 4}, measure.latency),
    "maglev": ({"table_size": 101}, measure.instances_used),
    "peak_ewma": ({}, measure.latency),
    "ring_hash": ({}, measure.instances_used),
    "round_robin": ({}, measure.spread),
}
FILTERS: dict[str, tuple[Section, str]] = {
    "adaptive_concurrency": ({"min_rtt_request_count": 10, "min_concurrency": 1, "max_concurrency_limit": 1}, "concurrency"),
    "admission_control": ({"sampling_window": "1s"}, "admission"),
    "fault": ({"abort": {"http_status": 500, "percentage": "50%"}}, "FI"),
    "limit_concurrency": ({"limit": {"fixed": {"limit": 1}}}, "concurrency"),
    "rate_limit": ({"token_bucket": {"max_tokens": 5, "fill_interval": "1s"}}, "RL"),
}
IN_X, IN_BOTH = {"x": 2}, {"x": 1, "y": 1}
NEAR: dict[str, tuple[Section, Section]] = {
    "locality_distribute": ({"distribute": {"x": {"x": 90, "y": 10}}}, IN_X),
    "locality_failover": ({}, IN_X),
    "locality_weighted": ({"weights": {"x": 90, "y": 10}}, IN_X),
    "zone_aware": ({"min_cluster_size": 1}, IN_BOTH),
}
"""What keeps requests in the zone, and where the callers have to be."""


def retry_choices() -> list[Row]:
    """Rows of back-offs and of budgets of tokens."""
    broken = mesh_world({"retries": TRIES}, BROKEN)
    waits, refused = measure.sum_of("backoff_ns"), measure.counted("retries_refused")
    drawn = ("decorrelated_jitter", "equal_jitter", "exponential", "full_jitter")
    choices = {"constant": {"interval": "200ms"}, **{name: {"base_interval": "200ms"} for name in drawn}}
    budgets = {"leaky_budget": {"min_retries_per_second": 1}, "retry_quota": {"capacity": 20}}
    return [
        *(
            Row(f"BackOffChoice.{name}", broken, {}, traffic_to_back(retries={"back_off": {name: settings}}), waits, "more")
            for name, settings in choices.items()
        ),
        *(
            Row(
                f"RetryTokenBudgetChoice.{name}",
                broken,
                {},
                traffic_to_back(retry_token_budget={name: settings}),
                refused,
                "more",
            )
            for name, settings in budgets.items()
        ),
    ]


def guard_choices() -> list[Row]:
    """Rows of what keeps hosts and requests out."""
    crowd, failing = mesh_world(load=BURST), mesh_world(back={"replicas": 4}, faults=ONE_FAILS)
    queued = mesh_world(back={"workers": 1, "script": RANDOM_WORK}, load=BURST)
    limits = {
        "aimd": {"initial_limit": 1, "min_limit": 1, "max_limit": 1},
        "fixed": {"limit": 1},
        "gradient2": {"initial_limit": 1, "min_limit": 1, "max_limit": 1},
        "vegas": {"initial_limit": 1, "max_limit": 1},
    }
    accruals = {"consecutive": {"max_failures": 3}, "success_rate": {"min_requests": 3}}
    disciplines = {"lifo": {}, "adaptive_lifo": {"switch_threshold": 2}}
    classes = mesh_world(back={"workers": 1, "script": RANDOM_WORK}, load={**BURST, "rate": "60/s", "criticality": "sheddable"})
    classes["load"]["batch"] = {**classes["load"]["clients"], "criticality": "critical_plus"}
    consumers = mesh_world(back={"workers": 1, "script": RANDOM_WORK}, load={**BURST, "rate": "90/s", "consumer": "acme"})
    consumers["load"]["other"] = {**consumers["load"]["clients"], "rate": "20/s", "consumer": "zeta"}
    hurried = mesh_world(back={"workers": 1, "script": RANDOM_WORK}, load={**BURST, "rate": "40/s", "timeout": "60ms"})
    hurried["load"]["patient"] = {**hurried["load"]["clients"], "timeout": "5s"}
    hurried["services"]["front"]["deadline_propagation"] = True
    sheds = {"codel": {"interval": "20ms"}, "controlled_delay": {}, "max_wait": {"limit": "20ms"}}
    return [
        *(
            Row(
                f"ConcurrencyLimitChoice.{name}", crowd, {}, traffic_to_back(concurrency_limit={name: settings}),
                measure.counted("limited"), "more",
            )
            for name, settings in limits.items()
        ),
        *(
            Row(f"FailureAccrualChoice.{name}", failing, {}, traffic_to_back(failure_accrual={name: settings}), measure.failures, "less")
            for name, settings in accruals.items()
        ),
        *(
            Row(
                f"QueueDisciplineChoice.{name}", queued, {}, back_is(queue={"discipline": {name: settings}}), measure.longest, "more",
            )
            for name, settings in disciplines.items()
        ),
        Row(
            "QueueDisciplineChoice.fifo", queued, back_is(queue={"discipline": "lifo"}), back_is(queue={"discipline": {"fifo": {}}}),
            measure.longest, "less",
        ),
        Row(
            "QueueDisciplineChoice.fair", consumers, {}, back_is(queue={"discipline": {"fair": {}}}), measure.longest, "more",
        ),
        Row(
            "QueueDisciplineChoice.earliest_deadline_first", hurried, {}, back_is(queue={"discipline": {"earliest_deadline_first": {}}}),
            measure.flagged("DC"), "less",
        ),
        Row("QueueDisciplineChoice.priority", classes, {}, back_is(queue={"discipline": {"priority": {}}}), measure.longest, "more"),
        *(
            Row(
                f"LoadSheddingChoice.{name}", queued, {}, back_is(queue={"shed": {name: settings}}), measure.tries_flagged("shed"), "more",
            )
            for name, settings in sheds.items()
        ),
    ]  # fmt: skip


def filter_choices() -> list[Row]:
    """Rows of filters at the gateway, and of what the filter `fault` holds."""
    failing = gateway_world(back={"errors": "80%"}, load=BURST)

    def fault(**settings: object) -> Section:
        return {"gateway": {"filters": [{"fault": settings}]}}

    def abort(status: int = 500, share: str = "50%") -> Section:
        return fault(abort={"http_status": status, "percentage": share})

    def delay(time: str = "10ms", share: str = "50%") -> Section:
        return fault(delay={"fixed_delay": time, "percentage": share})

    return [
        *(
            Row(
                f"FilterChoice.{name}", failing, {}, {"gateway": {"filters": [{name: settings}]}}, measure.flagged(flag), "more",
            )
            for name, (settings, flag) in FILTERS.items()
        ),
        Row("Abort.http_status", gateway_world(), abort(400), abort(500), measure.statuses, "more"),
        Row("Abort.percentage", gateway_world(), abort(share="20%"), abort(share="80%"), measure.flagged("FI"), "more"),
        Row("Delay.fixed_delay", gateway_world(), delay(), delay("20ms"), measure.latency, "more"),
        Row("Delay.percentage", gateway_world(), delay(share="20%"), delay(share="80%"), measure.latency, "more"),
    ]  # fmt: skip


def host_choices() -> list[Row]:
    """Rows of load balancers, against a choice at random or in turn, and of zones."""
    queues = {"replicas": 4, "workers": 1, "script": RANDOM_WORK}
    four = mesh_world({"load_balancer": "random", "hash_on": "key"}, queues, load={"keys": {"count": 1}, **BURST})
    in_turn = mesh_world({"load_balancer": "round_robin"}, {"replicas": 4})
    return [
        *(
            Row(f"LoadBalancerChoice.{name}", four, {}, traffic_to_back(load_balancer={name: settings}), figure, "less")
            for name, (settings, figure) in BALANCERS.items()
        ),
        Row("LoadBalancerChoice.random", in_turn, {}, traffic_to_back(load_balancer={"random": {}}), measure.spread, "more"),
        *(
            Row(
                f"LocalityChoice.{name}", mesh_world(**{**IN_ZONES, "front": {"zones": zones}}), {}, traffic_to_back(locality={name: settings}),
                measure.latency, "less",
            )
            for name, (settings, zones) in NEAR.items()
        ),
        Row(
            "LocalityChoice.ignore_zones", mesh_world({"locality": "locality_failover"}, **IN_ZONES), {},
            traffic_to_back(locality={"ignore_zones": {}}), measure.latency, "more",
        ),
    ]  # fmt: skip


def time_choices() -> list[Row]:
    """Rows of distributions, and of the components of a mixture."""

    def mixture(weight: int = 1, time: str = "20ms") -> Section:
        return back_is(
            script=[{"compute": {"mixture": {"of": [{"weight": 1, "time": "5ms"}, {"weight": weight, "time": time}]}}}]
        )

    return [
        *(
            Row(
                f"DistributionChoice.{name}",
                mesh_world(),
                {},
                back_is(script=[{"compute": {name: settings}}]),
                measure.latency,
                "more",
            )
            for name, settings in LONGER.items()
        ),
        Row("Component.weight", mesh_world(), mixture(), mixture(weight=9), measure.latency, "more"),
        Row("Component.time", mesh_world(), mixture(), mixture(time="40ms"), measure.latency, "more"),
    ]


ROWS = [*retry_choices(), *guard_choices(), *filter_choices(), *host_choices(), *time_choices()]
