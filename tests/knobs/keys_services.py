"""Keys of services: their instances, queues, scripts, errors, files of measurements, and how instances come and go."""

from __future__ import annotations

from pathlib import Path

import keys_measures as measure
from keys_worlds import (
    ONE_CRASHES,
    RANDOM_WORK,
    RETRIES,
    Section,
    back_is,
    front_is,
    mesh_world,
)
from rows import Row

FILES = Path(__file__).parent
ANSWERS, SLOW_ANSWERS, FAILING_ANSWERS, LATER_ANSWERS = (
    str(FILES / name) for name in ("answers.csv", "slow_answers.csv", "failing_answers.csv", "later_answers.csv")
)
BUSY = {"workers": 1, "script": RANDOM_WORK}
FAST = {"rate": "200/s"}
FAR = {"same_zone": "1ms", "cross_zone": "20ms"}
PER_KIB = {"mtls": {"handshake_time": "0s", "time_per_kib": "1ms"}}
IN_ZONE_X = {"front": {"zone": "x"}, "load": {"zone": "x"}, "network": FAR}
LATE_NEWS = {"discovery": {"propagation": "200ms"}}
LEAVING = {"replicas": 2, "scale": [{"at": "500ms", "replicas": 1}], "termination_grace_period": "0s"}


def instance_rows() -> list[Row]:
    """Rows of what the instances of a service are."""
    busy, plain = mesh_world(back=BUSY, load={"rate": "80/s"}), mesh_world()
    hurried = {"timeout": "60ms", "rate": "150/s", "arrivals": "poisson"}
    given_up = mesh_world({"timeout": "30ms"}, BUSY, load={"rate": "150/s", "arrivals": "poisson"})
    crowded = mesh_world(back=BUSY, load={"rate": "95/s", "arrivals": "poisson"})
    two = mesh_world({"load_balancer": "round_robin"}, {"replicas": 2, "load_balancing_weights": [1, 1]})
    one_key = mesh_world({"load_balancer": "ring_hash", "hash_on": "consumer"}, {"replicas": 2}, load={"consumer": "acme"})
    versions = mesh_world({"split": {"v1": 1, "v2": 1}}, {"replicas": 4, "subsets": {"v1": 1, "v2": 3}})
    reserve = mesh_world({"locality": "ignore_zones"}, {"replicas": 2})
    told_ill = mesh_world({"load_balancer": "round_robin"}, {"replicas": 8, "health_status": {"unhealthy": [7]}})
    return [
        Row("ServiceSection.replicas", busy, {}, back_is(replicas=4), measure.waiting, "less"),
        Row("ServiceSection.zone", mesh_world(**IN_ZONE_X), back_is(zone="x"), back_is(zone="y"), measure.latency, "more"),
        Row(
            "ServiceSection.zones", mesh_world(**IN_ZONE_X), back_is(zones={"x": 9, "y": 1}), back_is(zones={"x": 1, "y": 9}),
            measure.latency, "more",
        ),
        Row("ServiceSection.workers", busy, {}, back_is(workers=4), measure.waiting, "less"),
        Row("ServiceSection.queue", busy, {}, back_is(queue={"limit": 0}), measure.tries_flagged("queue_full"), "more"),
        Row("ServiceSection.async", mesh_world(front={"workers": 1}), {}, front_is(**{"async": True}), measure.latency, "less"),
        Row("ServiceSection.on_cancel", given_up, {}, back_is(on_cancel="drop_queued"), measure.of_service("worked_s"), "less"),
        Row(
            "ServiceSection.on_cancel stop", given_up, back_is(on_cancel="drop_queued"), back_is(on_cancel="stop"),
            measure.of_service("worked_s"), "less",
        ),
        Row(
            "ServiceSection.protocol", mesh_world({"retries": RETRIES}, {"errors": "100%"}), {}, back_is(protocol="grpc"),
            measure.counted("retries"), "less",
        ),
        Row("ServiceSection.load_balancing_weights", two, {}, back_is(load_balancing_weights=[1, 9]), measure.share_of(1), "more"),
        Row(
            "ServiceSection.addresses", one_key, back_is(addresses=["10.0.0.1:80", "10.0.0.2:80"]),
            back_is(addresses=["10.0.0.2:80", "10.0.0.1:80"]), measure.busiest, "other",
        ),
        Row("ServiceSection.script", plain, {}, back_is(script=[{"compute": "30ms"}]), measure.latency, "more"),
        Row("ServiceSection.errors", plain, {}, back_is(errors="50%"), measure.failures, "more"),
        Row(
            "ServiceSection.deadline_propagation",
            mesh_world(back={**BUSY, "deadline_propagation": True}, load=hurried), {}, front_is(deadline_propagation=True),
            measure.of_service("worked_s"), "less",
        ),
        Row("ServiceSection.request_size", mesh_world(mesh=PER_KIB), {}, back_is(request_size="4KiB"), measure.latency, "more"),
        Row("ServiceSection.response_size", mesh_world(mesh=PER_KIB), {}, back_is(response_size="4KiB"), measure.latency, "more"),
        Row("ServiceSection.subsets", versions, {}, back_is(subsets={"v1": 3, "v2": 1}), measure.share_of(0), "less"),
        Row("ServiceSection.priorities", reserve, {}, back_is(priorities=[0, 1]), measure.instances_used, "less"),
        Row("ServiceSection.health_status", mesh_world(back={"replicas": 2}), {}, back_is(health_status={"unhealthy": [1]}),
            measure.instances_used, "less"),
        Row("HealthStatusSection.unhealthy", told_ill, {}, back_is(health_status={"unhealthy": [1, 2]}), measure.instances_used, "less"),
        Row("HealthStatusSection.degraded", told_ill, {}, back_is(health_status={"degraded": [1]}), measure.share_of(1), "less"),
        Row("QueueSection.limit", busy, back_is(queue={"limit": 0}), back_is(queue={"limit": 50}), measure.failures, "less"),
        Row("QueueSection.discipline", crowded, {}, back_is(queue={"discipline": "lifo"}), measure.longest, "more"),
        Row("QueueSection.max_wait", busy, {}, back_is(queue={"max_wait": "5ms"}), measure.tries_flagged("queue_timeout"), "more"),
        Row("QueueSection.shed", busy, {}, back_is(queue={"shed": {"max_wait": {"limit": "5ms"}}}), measure.tries_flagged("shed"), "more"),
    ]  # fmt: skip


def lifecycle_rows() -> list[Row]:
    """Rows of how instances come and go."""
    plain, leaving = mesh_world(back={"replicas": 2}), mesh_world(back=LEAVING, mesh=LATE_NEWS)
    growing = mesh_world(back={"scale": [{"at": "200ms", "replicas": 4}]})
    slow = mesh_world(back={**LEAVING, "script": [{"compute": "300ms"}]})
    restarted = {"replicas": 4, "startup_time": "100ms", "termination_grace_period": "0s"}
    rolling = mesh_world(back={**restarted, "restarts": [{"at": "250ms", "batch": 1}]})
    crashing = mesh_world(back={"replicas": 2, "readiness": {"period": "50ms", "failure_threshold": 1}}, faults=ONE_CRASHES)
    return [
        Row("ServiceSection.scale", plain, {}, back_is(scale=[{"at": "300ms", "replicas": 5}]), measure.up("max"), "more"),
        Row("ServiceSection.restarts", plain, {}, back_is(startup_time="150ms", restarts=[{"at": "300ms"}]), measure.up("min"), "less"),
        Row("ServiceSection.startup_time", growing, {}, back_is(startup_time="500ms"), measure.share_of(0), "more"),
        Row("ServiceSection.pre_stop", leaving, {}, back_is(pre_stop="400ms"), measure.failures, "less"),
        Row("ServiceSection.termination_grace_period", slow, {}, back_is(termination_grace_period="1s"), measure.failures, "less"),
        Row(
            "ServiceSection.readiness", mesh_world(back={"replicas": 2}, faults=ONE_CRASHES), {},
            back_is(readiness={"period": "50ms", "failure_threshold": 1}), measure.failures, "less",
        ),
        Row(
            "ReadinessSection.period", crashing, back_is(readiness={"failure_threshold": 2}),
            back_is(readiness={"failure_threshold": 2, "period": "200ms"}), measure.failures, "more",
        ),
        Row("ReadinessSection.success_threshold", crashing, {}, back_is(readiness={"success_threshold": 9}), measure.share_of(0), "other"),
        Row("ReadinessSection.failure_threshold", crashing, {}, back_is(readiness={"failure_threshold": 4}), measure.failures, "more"),
        Row("ScaleStep.at", growing, {}, back_is(scale=[{"at": "800ms", "replicas": 4}]), measure.up("mean"), "less"),
        Row("ScaleStep.replicas", growing, {}, back_is(scale=[{"at": "200ms", "replicas": 9}]), measure.up("max"), "more"),
        Row("RestartStep.at", rolling, {}, back_is(restarts=[{"at": "850ms"}]), measure.up("mean"), "more"),
        Row("RestartStep.batch", rolling, {}, back_is(restarts=[{"at": "250ms", "batch": 4}]), measure.up("min"), "less"),
    ]  # fmt: skip


def script_rows() -> list[Row]:
    """Rows of what scripts are made of."""
    operations = {"read": {"script": [{"compute": "10ms"}]}, "write": {"script": [{"compute": "30ms"}], "errors": "0%"}}
    read, sized = mesh_world(back={"operations": operations}), mesh_world(back={"operations": operations}, mesh=PER_KIB)
    for world in (read, sized):
        world["services"]["front"]["script"] = [{"call": "back/read"}]
    broken = mesh_world(back={"errors": "100%"})

    def call(**settings: object) -> Section:
        return front_is(script=[{"call": "back", **settings}])

    def side_by_side(count: int, **settings: object) -> Section:
        return front_is(script=[{"parallel": [{"call": "back"}] * count, **settings}])

    def looped(times: int, *more: Section) -> Section:
        return front_is(script=[{"loop": times, "script": [{"call": "back"}, *more]}])

    uneven = mesh_world(back={"script": [{"compute": {"exponential": {"mean": "10ms"}}}]})

    def pool(**settings: object) -> Section:
        return front_is(connection_pools={"db": settings})

    pools = {"db": {"maximum_pool_size": 2, "acquire_timeout": "30ms"}, "wide": {}}
    pooled = mesh_world(
        front={"connection_pools": pools, "script": [{"transaction": "db", "script": [{"call": "back"}]}]},
        load={"rate": "250/s", "arrivals": "poisson"},
    )

    def operation(**settings: object) -> Section:
        return back_is(operations={"read": settings})

    return [
        Row("CallStep.call", read, {}, front_is(script=[{"call": "back/write"}]), measure.latency, "more"),
        Row(
            "CallStep.probability",
            mesh_world(),
            call(probability="20%"),
            call(probability="80%"),
            measure.attempts_at("back"),
            "more",
        ),
        Row("CallStep.fallback", broken, {}, call(fallback=[{"compute": "1ms"}]), measure.failures, "less"),
        Row("CallStep.wait", mesh_world(), {}, call(wait=False), measure.latency, "less"),
        Row("ParallelStep.parallel", mesh_world(), side_by_side(1), side_by_side(3), measure.attempts_at("back"), "more"),
        Row("ParallelStep.need", uneven, side_by_side(5), side_by_side(5, need=1), measure.latency, "less"),
        Row("LoopStep.loop", mesh_world(), looped(2), looped(4), measure.attempts_at("back"), "more"),
        Row("LoopStep.script", mesh_world(), looped(2), looped(2, {"compute": "1ms"}), measure.latency, "more"),
        Row(
            "TransactionStep.transaction",
            pooled,
            {},
            front_is(script=[{"transaction": "wide", "script": [{"call": "back"}]}]),
            measure.failures,
            "less",
        ),
        Row(
            "TransactionStep.script",
            pooled,
            {},
            front_is(script=[{"transaction": "db", "script": [{"compute": "1ms"}]}]),
            measure.failures,
            "less",
        ),
        Row("ServiceSection.connection_pools", pooled, {}, pool(maximum_pool_size=100), measure.failures, "less"),
        Row("ConnectionPoolSection.maximum_pool_size", pooled, {}, pool(maximum_pool_size=3), measure.failures, "less"),
        Row("ConnectionPoolSection.acquire_timeout", pooled, {}, pool(acquire_timeout="none"), measure.failures, "less"),
        Row("ConnectionPoolSection.waiters", pooled, {}, pool(waiters="random"), measure.longest, "other"),
        Row("CallStep.optional", broken, {}, call(optional=True), measure.failures, "less"),
        Row("CallStep.repeat", mesh_world(), {}, call(repeat=3), measure.attempts_at("back"), "more"),
        Row("CallStep.timeout", mesh_world(), {}, call(timeout="5ms"), measure.failures, "more"),
        Row("CallStep.retries", broken, {}, call(retries=RETRIES), measure.attempts_at("back"), "more"),
        Row(
            "ComputeStep.compute", mesh_world(), {}, back_is(script=[{"compute": "20ms"}]), measure.of_service("worked_s"), "more"
        ),
        Row("ServiceSection.operations", read, {}, operation(script=[{"compute": "30ms"}]), measure.latency, "more"),
        Row(
            "OperationSection.script",
            read,
            {},
            operation(script=[{"compute": "10ms"}, {"compute": "5ms"}]),
            measure.latency,
            "more",
        ),
        Row("OperationSection.errors", read, {}, operation(errors="50%"), measure.failures, "more"),
        Row("OperationSection.request_size", sized, {}, operation(request_size="4KiB"), measure.latency, "more"),
        Row("OperationSection.response_size", sized, {}, operation(response_size="4KiB"), measure.latency, "more"),
    ]


def error_rows() -> list[Row]:
    """Rows of errors, and of files of measurements."""
    gateway_errors = mesh_world({"retries": {**RETRIES, "retry_on": ["gateway-error"]}}, {"errors": {"rate": "50%"}})
    unavailable = mesh_world(
        {"retries": {**RETRIES, "retry_on": ["unavailable"]}}, {"protocol": "grpc", "errors": {"rate": "50%"}}
    )
    later = mesh_world({"retries": {**RETRIES, "max_retry_after": "1s"}}, {"errors": {"rate": "50%"}})
    rare = {"load": {"rate": "20/s"}}
    replayed = mesh_world(back={"script": [{"compute": {"replay": {"file": ANSWERS, "column": "short", "unit": "ms"}}}]}, **rare)
    failing = mesh_world(back={"errors": {"replay": {"file": ANSWERS, "column": "never"}}}, **rare)

    again = {"load": {**rare["load"], "retries": {"num_retries": 1, "retry_on": ["5xx"]}}}
    fails, times = {"file": LATER_ANSWERS, "column": "fails"}, {"file": LATER_ANSWERS, "column": "time", "unit": "ms"}
    behind = mesh_world(back={"errors": {"replay": fails}}, **again)
    late = mesh_world(back={"script": [{"compute": {"replay": times}}]}, front={"errors": "100%"}, **again)

    def errors(**settings: object) -> Section:
        return back_is(errors=settings)

    def time(**settings: object) -> Section:
        return back_is(script=[{"compute": {"replay": {"file": ANSWERS, "column": "short", "unit": "ms", **settings}}}])

    return [
        Row("ErrorsSection.rate", gateway_errors, {}, errors(rate="90%"), measure.failures, "more"),
        Row("ErrorsSection.status", gateway_errors, {}, errors(status=500), measure.counted("retries"), "less"),
        Row("ErrorsSection.grpc_status", unavailable, {}, errors(grpc_status="internal"), measure.counted("retries"), "less"),
        Row("ErrorsSection.retry_after", later, {}, errors(retry_after="100ms"), measure.sum_of("backoff_ns"), "more"),
        Row(
            "ErrorsSection.replay", mesh_world(**rare), {}, errors(replay={"file": ANSWERS, "column": "fails"}), measure.failures, "more",
        ),
        Row("ErrorsSection.latency", gateway_errors, {}, errors(latency="0s"), measure.latency, "less"),
        Row("ReplaySection.attempts_per_call", behind, {}, errors(replay={"attempts_per_call": 1}), measure.failures, "less"),
        Row("TimeReplaySection.attempts_per_call", late, {},
            back_is(script=[{"compute": {"replay": {**times, "attempts_per_call": 1}}}]), measure.latency, "less"),
        Row("ReplaySection.file", mesh_world(back={"errors": {"replay": {"file": FAILING_ANSWERS, "column": "fails"}}}, **rare), {},
            errors(replay={"file": ANSWERS}), measure.failures, "less"),
        Row("ReplaySection.column", failing, {}, errors(replay={"column": "fails"}), measure.failures, "more"),
        Row("ReplayedTime.replay", mesh_world(**rare), {}, time(), measure.latency, "less"),
        Row("TimeReplaySection.file", replayed, {}, time(file=SLOW_ANSWERS, column="time"), measure.latency, "more"),
        Row("TimeReplaySection.column", replayed, {}, time(column="long"), measure.latency, "more"),
        Row("TimeReplaySection.unit", replayed, {}, time(unit="us"), measure.latency, "less"),
    ]  # fmt: skip


ROWS = [*instance_rows(), *lifecycle_rows(), *script_rows(), *error_rows()]
