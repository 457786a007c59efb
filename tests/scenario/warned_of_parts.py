"""Rows for what `check` says of hosts, hashes, zones, the schedule and settings without effect."""

from __future__ import annotations

from typing import Any

from warned_scenarios import (
    Row,
    alike,
    attempts,
    back,
    began,
    both,
    calls_to_back,
    clients,
    costs,
    counted,
    every,
    failed,
    fault,
    flagged,
    gateway,
    instances,
    longest,
    mesh,
    services,
    to_back,
    unlike,
    users,
)

from meshsim.scenario.advice.remark import Kind

FAILING = fault(errors="100%", instances=[0])
BUSY = clients(rate="200/s")
BY_RATE = {"consecutive_5xx": 0, "interval": "1s", "max_ejection_percent": "50%", "success_rate_request_volume": 5}
BY_PERCENTAGE = {
    "consecutive_5xx": 0,
    "enforcing_success_rate": "0%",
    "enforcing_failure_percentage": "100%",
    "interval": "1s",
    "max_ejection_percent": "50%",
    "failure_percentage_request_volume": 5,
}
ZONES = {
    "load": {"clients": {"zone": "a"}},
    "services": {"front": {"zone": "a"}, "back": {"replicas": None, "zones": {"a": 1, "b": 1}}},
}
ZONE_FAILS = fault(errors="100%", zone="a")
EJECT_ALL = {"outlier_detection": {"consecutive_5xx": 3, "max_ejection_percent": "100%"}}
ONLY_A = {"locality_distribute": {"distribute": {"a": {"a": 100}}}}
RESTARTED = {"restarts": [{"at": "1s"}], "startup_time": "500ms"}
TOLD_LATE = {"mesh": {"discovery": {"propagation": "1s", "debounce_after": "0s"}}}
TWO = {"services": {"other": {"replicas": 1, "workers": 8, "script": [{"compute": "5ms"}]}}}


def ejecting(hosts: int, **settings: Any) -> dict[str, Any]:
    return gateway(**both(BUSY, back(replicas=hosts), FAILING, to_back(outlier_detection=settings)))


def route(**settings: Any) -> dict[str, Any]:
    return {"gateway": {"routes": {"all": settings}}}


def stages(seconds: int) -> dict[str, Any]:
    steps = [{"target": "50/s", "duration": f"{seconds}s"}]
    return clients(executor="ramping-arrival-rate", arrivals="poisson", rate=None, start_rate="50/s", stages=steps)


def stick(by: str) -> dict[str, Any]:
    return both(TWO, route(to={"back": 1, "other": 1}, sticky=by))


def errors_at_the_end(least: float, most: float) -> Any:
    """Share of the last 20 requests."""
    return lambda result: least <= (result.requests.sort_values("started_ns").tail(20)["status"] != 200).mean() <= most


HOSTS = (
    Row(
        Kind.EJECTION_OF_THE_ONLY_HOST,
        gateway(**both(back(replicas=1), FAILING, to_back(**EJECT_ALL, healthy_panic_threshold="0%"))),
        counted("no_host", 20),
        gateway(**both(back(replicas=2), FAILING, to_back(**EJECT_ALL, healthy_panic_threshold="0%"))),
        counted("no_host", 0, 0),
    ),
    Row(
        Kind.EJECTION_PERCENT_BELOW_ONE_HOST,
        ejecting(5, consecutive_5xx=3),
        counted("ejections", 0, 0),
        ejecting(5, consecutive_5xx=3, max_ejection_percent="20%"),
        counted("ejections", 1),
    ),
    Row(
        Kind.TOO_FEW_HOSTS_TO_COMPARE,
        ejecting(4, **BY_PERCENTAGE),
        counted("ejections", 0, 0),
        ejecting(4, **BY_PERCENTAGE, failure_percentage_minimum_hosts=4),
        counted("ejections", 1),
    ),
    Row(  # the remedy that it gives, word for word
        Kind.TOO_FEW_HOSTS_TO_COMPARE,
        ejecting(4, **BY_RATE),
        counted("ejections", 0, 0),
        ejecting(4, **BY_RATE, success_rate_minimum_hosts=4, success_rate_stdev_factor=1700),
        counted("ejections", 1),
    ),
    Row(
        Kind.TOO_FEW_REQUESTS_TO_COMPARE,
        ejecting(5, **{**BY_RATE, "success_rate_request_volume": 100}),
        counted("ejections", 0, 0),
        ejecting(5, **{**BY_RATE, "success_rate_request_volume": 20}),
        counted("ejections", 1),
    ),
    Row(
        Kind.NO_HOST_IS_FAR_ENOUGH,
        ejecting(4, **BY_RATE, success_rate_minimum_hosts=4),
        counted("ejections", 0, 0),
        ejecting(5, **BY_RATE, success_rate_minimum_hosts=4),
        counted("ejections", 1),
    ),
    Row(
        Kind.NOTHING_STARTS_FAILOVER,
        mesh(**both(ZONES, ZONE_FAILS, calls_to_back(locality="locality_failover"))),
        failed(0.4),
        mesh(**both(ZONES, ZONE_FAILS, calls_to_back(locality="locality_failover", **EJECT_ALL))),
        failed(0, 0.1),
    ),
    Row(
        Kind.NOTHING_LEAVES_A_PRIORITY,
        mesh(**both(back(priorities=[0, 1]), FAILING)),
        failed(0.4),
        mesh(**both(back(priorities=[0, 1]), FAILING, calls_to_back(**EJECT_ALL))),
        failed(0, 0.1),
    ),
    Row(
        Kind.PRE_STOP_TOO_SHORT,
        mesh(**both(TOLD_LATE, back(**RESTARTED))),
        failed(0.02),
        mesh(**both(TOLD_LATE, back(**RESTARTED, pre_stop="1s"))),
        failed(0, 0),
    ),
    Row(
        Kind.NOBODY_IN_THE_ZONES,
        mesh(
            **both(
                ZONES,
                {"services": {"front": {"zone": None, "replicas": None, "zones": {"a": 1, "c": 1}}}},
                calls_to_back(locality={"locality_distribute": {"distribute": {"*": {"c": 100}}}}),
            )
        ),
        every(failed(1.0), counted("no_host", 100)),
        mesh(**both(ZONES, calls_to_back(locality={"locality_distribute": {"distribute": {"*": {"b": 100}}}}))),
        failed(0, 0),
    ),
    Row(
        Kind.NO_SUBSTITUTE_ZONE,
        mesh(**both(ZONES, ZONE_FAILS, calls_to_back(locality=ONLY_A, healthy_panic_threshold="0%", **EJECT_ALL))),
        counted("no_host", 20),
        mesh(**both(ZONES, ZONE_FAILS, calls_to_back(locality="locality_failover", healthy_panic_threshold="0%", **EJECT_ALL))),
        counted("no_host", 0, 0),
    ),
)

ONE_KEY = clients(keys={"count": 1})
HASHING = (
    Row(
        Kind.BALANCER_WITHOUT_HASH,
        gateway(**both(ONE_KEY, to_back(load_balancer="ring_hash"))),
        instances(2),
        gateway(**both(ONE_KEY, to_back(load_balancer="ring_hash", hash_on="key"))),
        instances(1),
    ),
    Row(
        Kind.HASH_WITHOUT_BALANCER,
        gateway(**both(ONE_KEY, to_back(hash_on="key"))),
        instances(2),
        gateway(**both(ONE_KEY, to_back(load_balancer="maglev", hash_on="key"))),
        instances(1),
    ),
    Row(
        Kind.NOTHING_TO_HASH,
        gateway(**to_back(load_balancer="ring_hash", hash_on="consumer")),
        instances(2),
        gateway(**both(clients(consumer="web"), to_back(load_balancer="ring_hash", hash_on="consumer"))),
        instances(1),
    ),
)

FAST = calls_to_back(timeout="1ms")
REACH = (
    Row(
        Kind.SERVICE_IS_UNREACHED,
        gateway(**TWO),
        attempts(0, 0, "other"),
        gateway(**both(TWO, to_back(mirror={"to": "other"}))),
        attempts(1, 1, "other"),
    ),
    Row(
        Kind.NO_ROUTE_FOR_PATH,
        gateway(**both(clients(requests={"/b": 1}), route(path="/a"))),
        flagged("NR", 1.0),
        gateway(**both(clients(requests={"/a": 1}), route(path="/a"))),
        flagged("NR", 0.0, 0.0),
    ),
    Row(
        Kind.THRESHOLD_WITHOUT_REQUESTS,
        gateway(gateway={"routes": {"idle": {"path": "/idle", "to": "back"}}}, thresholds={"latency{route:idle}": ["p(99)<1s"]}),
        lambda result: result.verdicts[0].observed is None or result.verdicts[0].observed != result.verdicts[0].observed,
        gateway(gateway={"routes": {"idle": {"path": "/idle", "to": "back"}}}, thresholds={"latency{route:all}": ["p(99)<1s"]}),
        lambda result: (result.verdicts[0].observed or 0) > 0,
    ),
    Row(
        Kind.NO_MESH_IN_DEPLOYMENT,
        mesh(**both({"deployment": "none"}, FAST)),
        failed(0, 0),
        mesh(**FAST),
        failed(1.0),
    ),
    Row(
        Kind.NO_GATEWAY_IN_DEPLOYMENT,
        gateway(**both({"deployment": "none"}, to_back(timeout="1ms"))),
        flagged("UT", 0.0, 0.0),
        gateway(**to_back(timeout="1ms")),
        flagged("UT", 1.0),
    ),
)

SCHEDULE = (
    Row(
        Kind.LOAD_BEGINS_AFTER_THE_RUN,
        gateway(load={"late": {**gateway()["load"]["clients"], "start": "5s"}}),
        lambda result: set(result.requests["source"].astype(str)) == {"clients"},
        gateway(load={"late": {**gateway()["load"]["clients"], "start": "3s"}}),
        lambda result: set(result.requests["source"].astype(str)) == {"clients", "late"},
    ),
    Row(
        Kind.STAGES_END_AFTER_THE_RUN,
        gateway(**stages(8)),
        began(3.5, 4.0),
        gateway(**both(stages(8), {"run": {"duration": "8s"}})),
        began(7.5, 8.0),
    ),
    Row(
        Kind.LOAD_ENDS_AFTER_THE_RUN,
        gateway(**clients(duration="8s")),
        began(3.5, 4.0),
        gateway(**clients(duration="3s")),
        began(2.5, 3.0),
    ),
    Row(Kind.STAGES_END_BEFORE_THE_RUN, gateway(**stages(2)), began(1.5, 2.0), gateway(**stages(4)), began(3.5, 4.0)),
    Row(
        Kind.FAULT_COMES_AFTER_THE_RUN,
        gateway(faults=[{"at": "5s", "for": "1s", "service": "back", "errors": "100%"}]),
        failed(0, 0),
        gateway(faults=[{"at": "2s", "for": "1s", "service": "back", "errors": "100%"}]),
        failed(0.1),
    ),
    Row(
        Kind.FAULT_ENDS_AFTER_THE_RUN,
        gateway(faults=[{"at": "2s", "for": "3s", "service": "back", "errors": "100%"}]),
        errors_at_the_end(1, 1),
        gateway(faults=[{"at": "2s", "for": "1s", "service": "back", "errors": "100%"}]),
        errors_at_the_end(0, 0),
    ),
    Row(
        Kind.FAULT_RARELY_COMES,
        gateway(faults=[{"service": "back", "errors": "100%", "mtbf": "1h", "mttr": "1s"}]),
        failed(0, 0),
        gateway(faults=[{"service": "back", "errors": "100%", "mtbf": "500ms", "mttr": "500ms"}]),
        failed(0.1),
    ),
    Row(  # a fault that is as long as the run is meant to have no end: no longer run is asked for
        Kind.FAULT_ENDS_AFTER_THE_RUN,
        gateway(faults=[{"at": "2s", "for": "3s", "service": "back", "errors": "100%"}]),
        errors_at_the_end(1, 1),
        gateway(faults=[{"at": "0s", "for": "28h", "service": "back", "errors": "100%"}]),
        errors_at_the_end(1, 1),
        is_same=True,
    ),
)

CACHE = {"gateway": {"filters": [{"cache": {"ttl": "10s"}}]}}
BALANCED = to_back(connections={"balance": "connections"})
BY_ADDRESS = route(session_persistence={"of": "address"})
LOOKS = {"sync_period": "500ms"}
WITHOUT_EFFECT = (
    Row(
        Kind.NOTHING_RESTARTS_THE_GATEWAY,
        gateway(gateway={"drain_time": "1s"}),
        alike(gateway()),
        gateway(gateway={"restarts": [{"at": "2s"}], "startup_time": "500ms", "drain_time": "1s"}),
        failed(0.05),
    ),
    Row(
        Kind.RESTART_COMES_AFTER_THE_RUN,
        gateway(gateway={"restarts": [{"at": "5s"}], "startup_time": "500ms"}),
        failed(0, 0),
        gateway(gateway={"restarts": [{"at": "2s"}], "startup_time": "500ms"}),
        failed(0.05),
    ),
    Row(
        Kind.PRICE_OF_NOTHING,
        gateway(cost={"cross_zone_gib": 0.02}),
        costs(0.0),
        gateway(**both({"cost": {"cross_zone_gib": 0.02}}, back(zone="b", response_size="4KiB"), {"gateway": {"zone": "a"}})),
        costs(0.001),
    ),
    Row(
        Kind.AUTOSCALER_OF_NOBODY,
        gateway(autoscaler=LOOKS),
        alike(gateway()),
        gateway(**both({"autoscaler": LOOKS}, back(autoscaling={"min_replicas": 5, "max_replicas": 5}))),
        instances(5),
    ),
    Row(Kind.CONTENT_WITHOUT_KEYS, gateway(**CACHE), attempts(1, 1), gateway(**both(CACHE, ONE_KEY)), attempts(0, 0.5)),
    Row(
        Kind.STICKY_WITH_ONE_DESTINATION,
        gateway(**route(sticky="address")),
        alike(gateway()),
        gateway(**stick("address")),
        services(1),
    ),
    Row(
        Kind.STICKY_WITHOUT_CONSUMER,
        gateway(**stick("consumer")),
        services(2),
        gateway(**both(clients(consumer="web"), stick("consumer"))),
        services(1),
    ),
    Row(
        Kind.STICKY_WITHOUT_USERS,
        gateway(**stick("user")),
        services(2),
        gateway(**both(users(1), stick("user"))),
        services(1),
    ),
    Row(
        Kind.SESSION_WITHOUT_USERS,
        gateway(**route(session_persistence={"of": "user"})),
        instances(2),
        gateway(**both(users(1), route(session_persistence={"of": "user"}))),
        instances(1),
    ),
    Row(
        Kind.SESSION_WITHOUT_CONSUMER,
        gateway(**route(session_persistence={"of": "consumer"})),
        instances(2),
        gateway(**both(clients(consumer="web"), route(session_persistence={"of": "consumer"}))),
        instances(1),
    ),
    Row(
        Kind.SESSION_OF_ONE_ADDRESS,
        gateway(**BY_ADDRESS),
        instances(1),
        gateway(**both(clients(addresses=100), BY_ADDRESS)),
        instances(2),
    ),
    Row(
        Kind.SESSION_ON_BALANCED_CONNECTIONS,
        gateway(**both(clients(addresses=100), BY_ADDRESS, BALANCED)),
        alike(gateway(**both(clients(addresses=100), BALANCED))),
        gateway(**both(clients(addresses=100), BY_ADDRESS)),
        unlike(gateway(**clients(addresses=100))),
    ),
)

GATEWAY_FAILS = [{"at": "1s", "for": "2s", "service": "(gateway)", "crash": True}]
NEWER = (
    Row(
        Kind.FAULT_WITHOUT_A_GATEWAY,
        gateway(deployment="none", faults=GATEWAY_FAILS),
        failed(0, 0),
        gateway(faults=GATEWAY_FAILS),
        failed(0.1),
    ),
    Row(
        Kind.FAULT_STRIKES_NOBODY,
        mesh(**both(ZONES, fault(errors="100%", zone="b", instances=[0]))),
        failed(0, 0),
        mesh(**both(ZONES, fault(errors="100%", zone="a", instances=[0]))),
        failed(0.1),
    ),
    Row(
        Kind.NOTHING_TAKES_THE_GATEWAY,
        gateway(gateway={"readiness": {}}),
        alike(gateway()),
        gateway(faults=GATEWAY_FAILS, gateway={"readiness": {}}),
        failed(0.1),
    ),
    Row(
        Kind.GATEWAY_LOST_WITHOUT_TIMEOUT,
        gateway(faults=[{**GATEWAY_FAILS[0], "crash": False, "unreachable": True}]),
        longest(100),
        gateway(**clients(timeout="1s"), faults=[{**GATEWAY_FAILS[0], "crash": False, "unreachable": True}]),
        longest(0, 1.001),
    ),
    Row(  # outlier detection turns failover by zones on
        Kind.DEFAULT_HANGS_ON_A_SETTING,
        mesh(
            **both(
                {"defaults": "istio-1.29"},
                ZONES,
                calls_to_back(outlier_detection={"consecutive_5xx": 7, "max_ejection_percent": "100%"}),
            )
        ),
        instances(1),
        mesh(**both({"defaults": "istio-1.29"}, ZONES)),
        instances(2),
    ),
)

ROWS = HOSTS + HASHING + REACH + SCHEDULE + WITHOUT_EFFECT + NEWER
