"""Keys of autoscalers: minutes of Kubernetes made a second."""

from __future__ import annotations

from typing import Any

import keys_measures as measure
from keys_worlds import Section, back_is, bare_world
from rows import Row

QUICK = {
    "sync_period": "50ms", "metric_resolution": "20ms", "scrape_interval": "20ms", "rate_window": "100ms",
    "downscale_stabilization": "100ms", "cpu_initialization_period": "0s", "initial_readiness_delay": "0s",
}  # fmt: skip
RUN = {"run": {"duration": "1s", "interval": "100ms", "cold_start": True}}


def of(kind: str, target: Section, **more: Any) -> list[Section]:
    """One metric."""
    return [{kind: {**more, "target": target}}]


def cpu(share: str) -> list[Section]:
    return of("resource", {"average_utilization": share}, name="cpu")


def pods(metric: str, value: float) -> list[Section]:
    return of("pods", {"average_value": value}, metric=metric)


def whole(metric: str, **target: float) -> list[Section]:
    return of("object", target, metric=metric)


def scaled(
    autoscaling: Section | None = None, autoscaler: Section | None = None, back: Section | None = None, **rest: Any
) -> Section:
    """A hundred requests a second of 10 ms each, one core, at replicas of one worker."""
    return bare_world(
        {"load_balancer": "round_robin"},
        {"replicas": 2, "workers": 1, "autoscaling": {"max_replicas": 8, "metrics": cpu("50%"), **(autoscaling or {})}, **(back or {})},
        autoscaler={**QUICK, **(autoscaler or {})},
        **{**RUN, **rest},
    )  # fmt: skip


def is_scaled(**settings: Any) -> Section:
    """A change of the back's autoscaler."""
    return back_is(autoscaling=settings)


def rules(direction: str, **settings: Any) -> Section:
    return is_scaled(behavior={direction: settings})


def looks(**settings: Any) -> Section:
    """A change of who looks."""
    return {"autoscaler": settings}


def policy(kind: str, value: int, period: str) -> list[Section]:
    return [{"type": kind, "value": value, "period": period}]


def service_rows() -> list[Row]:
    """Rows of what a service says of its autoscaler."""
    world, idle = scaled(), scaled({"metrics": cpu("90%")}, load={"rate": "10/s"})
    held = scaled({"metrics": pods("in_flight", 0.5)}, back={"workers": 10})
    return [
        Row("ServiceSection.autoscaling", bare_world(autoscaler=QUICK, **RUN), {},
            back_is(autoscaling={"min_replicas": 3, "max_replicas": 3}), measure.up("max"), "more"),
        Row("AutoscalingSection.min_replicas", idle, {}, is_scaled(min_replicas=2), measure.wanted("min"), "more"),
        Row("AutoscalingSection.max_replicas", scaled({"metrics": cpu("10%")}), {}, is_scaled(max_replicas=3), measure.wanted("max"), "less"),
        Row("AutoscalingSection.metrics", world, {}, is_scaled(metrics=[*cpu("50%"), *cpu("15%")]), measure.wanted("max"), "more"),
        Row("AutoscalingSection.behavior", scaled({"metrics": cpu("10%")}), {}, rules("scale_up", select_policy="Disabled"),
            measure.wanted("max"), "less"),
        Row("MetricSection.resource", world, is_scaled(metrics=cpu("50%")),
            is_scaled(metrics=of("resource", {"average_value": 0.2}, name="cpu")),
            measure.wanted("max"), "more"),
        Row("ResourceMetricSection.target", world, is_scaled(metrics=cpu("50%")), is_scaled(metrics=cpu("20%")), measure.wanted("max"), "more"),
        Row("ResourceTargetSection.average_utilization", world, is_scaled(metrics=cpu("50%")), is_scaled(metrics=cpu("20%")),
            measure.wanted("max"), "more"),
        Row("ResourceTargetSection.average_value", world, is_scaled(metrics=of("resource", {"average_value": 0.5}, name="cpu")),
            is_scaled(metrics=of("resource", {"average_value": 0.2}, name="cpu")), measure.wanted("max"), "more"),
        Row("MetricSection.pods", held, is_scaled(metrics=cpu("90%")), is_scaled(metrics=pods("in_flight", 0.2)), measure.wanted("max"), "more"),
        Row("PodsMetricSection.metric", scaled(), is_scaled(metrics=pods("in_flight", 20)), is_scaled(metrics=pods("requests_per_second", 20)),
            measure.wanted("max"), "more"),
        Row("PodsMetricSection.target", world, is_scaled(metrics=pods("requests_per_second", 50)),
            is_scaled(metrics=pods("requests_per_second", 20)), measure.wanted("max"), "more"),
        Row("PodsTargetSection.average_value", world, is_scaled(metrics=pods("requests_per_second", 50)),
            is_scaled(metrics=pods("requests_per_second", 20)), measure.wanted("max"), "more"),
        Row("MetricSection.object", world, is_scaled(metrics=cpu("50%")), is_scaled(metrics=whole("requests_per_second", average_value=20)),
            measure.wanted("max"), "more"),
        Row("ObjectMetricSection.metric", world, is_scaled(metrics=whole("queued", average_value=20)),
            is_scaled(metrics=whole("requests_per_second", average_value=20)), measure.wanted("max"), "more"),
        Row("ObjectMetricSection.target", world, is_scaled(metrics=whole("requests_per_second", average_value=50)),
            is_scaled(metrics=whole("requests_per_second", average_value=20)), measure.wanted("max"), "more"),
        Row("ObjectTargetSection.value", world, is_scaled(metrics=whole("requests_per_second", value=500)),
            is_scaled(metrics=whole("requests_per_second", value=50)), measure.wanted("max"), "more"),
        Row("ObjectTargetSection.average_value", world, is_scaled(metrics=whole("requests_per_second", average_value=50)),
            is_scaled(metrics=whole("requests_per_second", average_value=20)), measure.wanted("max"), "more"),
    ]  # fmt: skip


def rule_rows() -> list[Row]:
    """Rows of how fast replicas come and go."""
    up, down = scaled({"metrics": cpu("10%")}), scaled({"metrics": cpu("90%")}, load={"rate": "10/s"}, back={"replicas": 8})
    one_by_one = rules("scale_up", policies=policy("Pods", 1, "200ms"))
    near = scaled({"metrics": cpu("47%")}, {"metric_resolution": "100ms"})
    return [
        Row("BehaviorSection.scale_up", up, {}, one_by_one, measure.wanted("mean"), "less"),
        Row("BehaviorSection.scale_down", down, {}, rules("scale_down", policies=policy("Pods", 1, "200ms")), measure.wanted("mean"), "more"),
        Row("ScalingRulesSection.stabilization_window", up, {}, rules("scale_up", stabilization_window="300ms"), measure.wanted("mean"), "less"),
        Row("ScalingRulesSection.select_policy", up, {}, rules("scale_up", select_policy="Min"), measure.wanted("mean"), "less"),
        Row("ScalingRulesSection.policies", up, {}, one_by_one, measure.wanted("mean"), "less"),
        Row("ScalingRulesSection.tolerance", near, {}, rules("scale_up", tolerance="1%"), measure.wanted("max"), "more"),
        Row("ScalingPolicySection.type", up, rules("scale_up", policies=policy("Pods", 50, "200ms")),
            rules("scale_up", policies=policy("Percent", 50, "200ms")), measure.wanted("mean"), "less"),
        Row("ScalingPolicySection.value", up, one_by_one, rules("scale_up", policies=policy("Pods", 2, "200ms")), measure.wanted("mean"), "more"),
        Row("ScalingPolicySection.period", up, one_by_one, rules("scale_up", policies=policy("Pods", 1, "500ms")), measure.wanted("mean"), "less"),
    ]  # fmt: skip


def looking_rows() -> list[Row]:
    """Rows of who looks, how often, and at what."""
    up, by_rate = scaled({"metrics": cpu("10%")}), scaled({"metrics": pods("requests_per_second", 20)})
    down = scaled({"metrics": cpu("90%")}, load={"rate": "10/s"}, back={"replicas": 8})
    starting = scaled(
        {"metrics": cpu("50%"), "max_replicas": 30}, {"metric_resolution": "100ms"},
        back={"startup_time": "150ms"}, load={"rate": "250/s"},
    )  # fmt: skip
    raised = scaled(
        {"min_replicas": 4}, {"metric_resolution": "100ms"}, back={"startup_time": "700ms"}, load={"rate": "90/s"},
    )  # fmt: skip
    return [
        Row("Scenario.autoscaler", bare_world(back={"autoscaling": {"max_replicas": 8, "metrics": cpu("10%")}}, **RUN), {},
            looks(**QUICK), measure.wanted("max"), "more"),
        Row("AutoscalerSection.sync_period", up, {}, looks(sync_period="300ms"), measure.wanted("mean"), "less"),
        Row("AutoscalerSection.tolerance", scaled({"metrics": cpu("47%")}, {"metric_resolution": "100ms"}), {},
            looks(tolerance="1%"), measure.wanted("max"), "more"),
        Row("AutoscalerSection.cpu_initialization_period", starting, {},
            looks(cpu_initialization_period="5m"), measure.wanted("mean", "usage"), "other"),
        Row("AutoscalerSection.initial_readiness_delay", raised, {}, looks(initial_readiness_delay="1h"), measure.wanted("mean", "proposed"), "more"),
        Row("AutoscalerSection.downscale_stabilization", down, {}, looks(downscale_stabilization="500ms"), measure.wanted("mean"), "more"),
        Row("AutoscalerSection.metric_resolution", up, {}, looks(metric_resolution="200ms"), measure.wanted("mean"), "less"),
        Row("AutoscalerSection.scrape_interval", by_rate, looks(rate_window="400ms"), looks(rate_window="400ms", scrape_interval="200ms"),
            measure.wanted("mean"), "less"),
        Row("AutoscalerSection.rate_window", by_rate, {}, looks(rate_window="500ms"), measure.wanted("mean"), "other"),
    ]  # fmt: skip


ROWS = [*service_rows(), *rule_rows(), *looking_rows()]
