"""Keys of hedging, health checks and mirrors."""

from __future__ import annotations

import keys_measures as measure
from keys_worlds import ONE_CRASHES, ONE_SLOW, Section, mesh_world, traffic_to_back
from rows import Row

CHECKS = {"interval": "50ms", "timeout": "20ms", "unhealthy_threshold": 2, "healthy_threshold": 1}
FAST = {"rate": "200/s"}
FASTER = {"rate": "400/s"}
ALL_SLOW = [{"at": "0s", "for": "1h", "service": "back", "slow": 20}]
IN_PARALLEL = {"workers": 100, "script": [{"compute": "10ms"}]}
THREE = {
    "front": {"workers": 1000, "script": [{"call": "back"}]},
    "back": IN_PARALLEL,
    "other": IN_PARALLEL,
    "third": IN_PARALLEL,
}


def hedge_rows() -> list[Row]:
    """Rows of hedging: one of two instances, or all of them, are late."""
    late = mesh_world({"hedge_policy": {"delay": "20ms"}, "load_balancer": "round_robin"}, {"replicas": 2}, faults=ONE_SLOW)
    quantile = mesh_world(
        {"hedge_policy": {"quantile": "20%"}, "load_balancer": "round_robin"}, {"replicas": 2}, load=FASTER, faults=ONE_SLOW
    )
    all_late = mesh_world({"hedge_policy": {"delay": "20ms"}}, {"replicas": 2}, faults=ALL_SLOW)
    tries = {"num_retries": 1, "retry_on": ["5xx", "reset"], "per_try_timeout": "50ms"}
    timed_out = mesh_world(
        {"retries": tries, "load_balancer": "round_robin", "hedge_policy": {"delay": "10s"}}, {"replicas": 2}, faults=ALL_SLOW
    )
    hedges = measure.counted("hedges")

    def hedge(**settings: object) -> Section:
        return traffic_to_back(hedge_policy=settings)

    return [
        Row("HedgeSection.delay", late, {}, hedge(delay="500ms"), hedges, "less"),
        Row("HedgeSection.quantile", quantile, {}, hedge(quantile="99%"), hedges, "less"),
        Row("HedgeSection.max_hedges", all_late, {}, hedge(max_hedges=3), hedges, "more"),
        Row("HedgeSection.cancel", late, {}, hedge(cancel=False), measure.tries_flagged("DC"), "less"),
        Row(
            "HedgeSection.hedge_on_per_try_timeout", timed_out, {}, hedge(hedge_on_per_try_timeout=True, delay=None),
            measure.failures, "less",
        ),
    ]  # fmt: skip


def check_rows() -> list[Row]:
    """Rows of health checks: one of two instances crashes, or both are busy."""
    crashing = mesh_world(
        {"health_checks": CHECKS, "healthy_panic_threshold": "0%"}, {"replicas": 2}, load=FAST, faults=ONE_CRASHES
    )
    well = mesh_world({"health_checks": CHECKS}, {"replicas": 2})
    busy = mesh_world({"health_checks": CHECKS}, {"replicas": 2, "workers": 1, "script": [{"compute": "30ms"}]}, load=FAST)

    def checks(**settings: object) -> Section:
        return traffic_to_back(health_checks=settings)

    return [
        Row("HealthChecksSection.interval", crashing, {}, checks(interval="150ms"), measure.failures, "more"),
        Row("HealthChecksSection.timeout", well, {}, checks(timeout="1ms"), measure.counted("health_changes"), "more"),
        Row("HealthChecksSection.unhealthy_threshold", crashing, {}, checks(unhealthy_threshold=5), measure.failures, "more"),
        Row("HealthChecksSection.healthy_threshold", crashing, {}, checks(healthy_threshold=4), measure.share_of(0), "less"),
        Row("HealthChecksSection.uses_worker", busy, {}, checks(uses_worker=True), measure.counted("health_changes"), "more"),
    ]


def mirror_rows() -> list[Row]:
    """Rows of mirrors."""
    copied = mesh_world({"mirror": {"to": "other"}}, services=THREE)
    return [
        Row("MirrorSection.to", copied, {}, traffic_to_back(mirror={"to": "third"}), measure.attempts_at("third"), "more"),
        Row("MirrorSection.share", copied, {}, traffic_to_back(mirror={"share": "20%"}), measure.attempts_at("other"), "less"),
    ]


ROWS = [*hedge_rows(), *check_rows(), *mirror_rows()]
