"""Keys of the run, and those at the top of a scenario."""

from __future__ import annotations

import keys_measures as measure
from keys_worlds import ONE_SLOW, RANDOM_WORK, Section, bare_world, gateway_world, mesh_world, requests
from rows import Row


def run(**settings: object) -> Section:
    """A change of how the scenario is run."""
    return {"run": settings}


def limited(limit: Section) -> Section:
    """A gateway that limits."""
    return gateway_world(gateway={"filters": [{"rate_limit": {"rules": [{"limit": limit}]}}]})


def run_rows() -> list[Row]:
    """Rows of the run."""
    windows = limited({"fixed_window": {"requests": 20, "window": "10s"}})
    steps = limited({"stepped_token_bucket": {"max_tokens": 20, "tokens_per_fill": 20, "fill_interval": "10s"}})
    plain, drawn = mesh_world(), mesh_world(back={"script": RANDOM_WORK})
    return [
        Row("RunSection.duration", plain, {}, run(duration="500ms"), measure.asked, "less"),
        Row("RunSection.warm_up", plain, {}, run(warm_up="500ms"), measure.asked, "less"),
        Row("RunSection.seed", drawn, {}, run(seed=2), measure.latency, "other"),
        Row(
            "RunSection.time_zero",
            windows,
            run(time_zero="2026-01-01T00:00:00"),
            run(time_zero="2026-01-01T00:00:09.5"),
            measure.failures,
            "less",
        ),
        Row(
            "RunSection.cold_start",
            steps,
            run(cold_start=True, duration="9s"),
            run(cold_start=False, duration="9s"),
            measure.failures,
            "less",
        ),
        Row("RunSection.records", plain, {}, run(records="none"), measure.kept_requests, "less"),
        Row(
            "Sampled.sampled",
            plain,
            run(records={"sampled": "20%"}),
            run(records={"sampled": "80%"}),
            measure.kept_requests,
            "more",
        ),
        Row("RunSection.interval", plain, {}, run(interval="50ms"), lambda result: len(result.counters), "more"),
    ]


def top_rows() -> list[Row]:
    """Rows of the sections of a scenario, each by something in it."""
    broken = mesh_world(back={"protocol": "grpc", "errors": "50%"})
    return [
        Row("Scenario.defaults", broken, {}, {"defaults": "istio"}, measure.counted("retries"), "more"),
        Row("Scenario.deployment", mesh_world(mesh={"proxy_time": "1ms"}), {}, {"deployment": "none"}, measure.latency, "less"),
        Row("Scenario.load", mesh_world(), {}, {"load": {"others": requests()}}, measure.asked, "more"),
        Row("Scenario.gateway", gateway_world(), {}, {"gateway": {"proxy_time": "1ms"}}, measure.latency, "more"),
        Row("Scenario.mesh", mesh_world({"timeout": "5ms"}), {}, {"mesh": None}, measure.failures, "less"),
        Row("Scenario.direct", bare_world({"timeout": "5ms"}), {}, {"direct": None}, measure.failures, "less"),
        Row("Scenario.services", mesh_world(), {}, {"services": {"back": {"script": [{"compute": "20ms"}]}}}, measure.latency, "more"),
        Row("Scenario.network", mesh_world(), {}, {"network": None}, measure.latency, "less"),
        Row("Scenario.faults", mesh_world(), {}, {"faults": ONE_SLOW}, measure.latency, "more"),
        Row("Scenario.run", mesh_world(), {}, run(duration="500ms"), measure.asked, "less"),
        Row(
            "Scenario.thresholds", mesh_world(thresholds={"latency": ["max<1h"]}), {}, {"thresholds": {"latency": ["max<1ms"]}},
            lambda result: result.passed, "less",
        ),
    ]  # fmt: skip


ROWS = [*run_rows(), *top_rows()]
