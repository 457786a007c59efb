"""What autoscalers did over a run: replicas, steps, the metric that decided, and what held a change back."""

from __future__ import annotations

import json
from dataclasses import replace

import made_up
import numpy as np
import pytest

import meshsim as ms
from meshsim.metrics.policies.scaling import COLUMNS, Scalings, metric_text
from meshsim.metrics.summary import Summary
from meshsim.plan import NONE, Autoscaling, Lifecycle, Measured, ScalingMetric, TargetKind
from meshsim.policies.autoscaling import HorizontalPodAutoscaler, Limit, Reason, Timing, Tolerances

METRICS = (ScalingMetric(TargetKind.UTILIZATION, Measured.CPU, 80), ScalingMetric(TargetKind.AVERAGE, Measured.IN_FLIGHT, 1500))
SCALER = Autoscaling(
    HorizontalPodAutoscaler(2, 9), METRICS, Tolerances(0.1, 0.1), Timing(0, 0), 1000, sync_ns=1, resolution_ns=1, scrape_ns=1,
    rate_ns=1,
)  # fmt: skip
LIFE = Lifecycle(
    3, tuple(range(9)), (), (), startup_ns=0, pre_stop_ns=0, grace_ns=0, readiness_ns=NONE, autoscaling=SCALER
)  # fmt: skip
CPU, IN_FLIGHT = 0, 1
UP, DOWN, SAME, UNKNOWN = (int(one) for one in (Reason.ABOVE_TARGET, Reason.BELOW_TARGET, Reason.NO_CHANGE, Reason.NO_METRICS))
FREE, TOO_FEW, UP_LIMIT = (int(one) for one in (Limit.NONE, Limit.TOO_FEW_REPLICAS, Limit.SCALE_UP_LIMIT))


def scalings(*chunks):
    """Of three services, the second of which has no autoscaler."""
    plan = made_up.plan(services=("cart", "checkout", "payment"), replicas=9)
    lives = (LIFE, None, LIFE)
    sink = Scalings(
        replace(plan, services=tuple(replace(one, lifecycle=life) for one, life in zip(plan.services, lives, strict=True)))
    )
    for chunk in chunks:
        sink.take("autoscaling", chunk)
    return sink.summaries()


def looks(*rows):
    """A chunk of looks, each by `COLUMNS`."""
    return made_up.chunk("autoscaling", **dict(zip(COLUMNS, np.asarray(rows).T, strict=True)))


def test_an_autoscaler_that_never_looked_has_the_replicas_of_the_start():
    found = scalings()

    assert [one.service for one in found] == ["cart", "payment"]
    assert (found[0].at_start, found[0].lowest, found[0].highest, found[0].at_end, found[0].looks) == (3, 3, 3, 3, 0)
    assert (found[0].min_replicas, found[0].max_replicas) == (2, 9)


def test_replicas_and_steps_are_those_of_the_looks_of_each_service_over_all_chunks():
    cart, payment = scalings(
        looks((0, 3, 7, CPU, 7, 7, UP, FREE), (2, 3, 2, CPU, 2, 2, DOWN, FREE)),
        looks((0, 7, 8, CPU, 8, 8, UP, FREE), (0, 8, 5, CPU, 5, 5, DOWN, FREE), (2, 2, 2, CPU, 2, 2, SAME, FREE)),
    )

    assert (cart.at_start, cart.lowest, cart.highest, cart.at_end) == (3, 3, 8, 5)
    assert (cart.steps_up, cart.steps_down, cart.looks) == (2, 1, 3)
    assert (payment.at_start, payment.lowest, payment.highest, payment.at_end) == (3, 2, 3, 2)
    assert (payment.steps_up, payment.steps_down, payment.looks) == (0, 1, 2)


def test_looks_count_for_the_metric_that_asked_for_most():
    cart, _ = scalings(
        looks(
            (0, 3, 3, NONE, -1, -1, UNKNOWN, FREE), *[(0, 3, 3, CPU, 3, 3, SAME, FREE)] * 2, (0, 3, 4, IN_FLIGHT, 4, 4, UP, FREE)
        )
    )

    assert cart.metrics == {"cpu 80%": 2, "in_flight 1.5/pod": 1}


def test_a_look_may_be_held_back_by_a_window_and_by_a_limit():
    cart, _ = scalings(
        looks(
            (0, 3, 3, CPU, 1, 3, SAME, FREE),
            (0, 3, 2, CPU, 0, 1, DOWN, TOO_FEW),
            (0, 2, 4, CPU, 9, 9, UP, UP_LIMIT),
            (0, 4, 4, CPU, 4, 4, SAME, FREE),
        )
    )

    assert cart.held_back == {"stabilization": 2, "too_few_replicas": 1, "scale_up_limit": 1}


def test_missing_figures_hold_back_only_what_had_figures_before():
    unknown, known = (0, 3, 3, NONE, -1, -1, UNKNOWN, FREE), (0, 3, 3, CPU, 3, 3, SAME, FREE)

    assert scalings(looks(unknown, unknown, known))[0].held_back == {}
    assert scalings(looks(unknown, known, unknown))[0].held_back == {"no_metrics": 1}


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        (ScalingMetric(TargetKind.UTILIZATION, Measured.CPU, 80), "cpu 80%"),
        (ScalingMetric(TargetKind.AVERAGE, Measured.CPU, 300), "cpu 0.3 cores"),
        (ScalingMetric(TargetKind.AVERAGE, Measured.REQUESTS_PER_SECOND, 1_200_000), "requests_per_second 1200/pod"),
        (ScalingMetric(TargetKind.TOTAL, Measured.QUEUED, 40_000), "object queued 40"),
        (ScalingMetric(TargetKind.TOTAL_PER_POD, Measured.QUEUED, 4_000), "object queued 4/pod"),
    ],
)
def test_metrics_are_named_with_their_targets(metric, text):
    assert metric_text(metric) == text


def scenario(**service):
    """2.4 cores of work."""
    return {
        "name": "scaled",
        "load": {"web": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "12/s", "requests": {"back": 1}}},
        "direct": {"traffic": {"*": {"load_balancer": "round_robin"}}},
        "services": {"back": {"replicas": 3, "script": [{"compute": "200ms"}], **service}},
        "run": {"duration": "2m", "interval": "10s"},
    }


def test_a_run_sums_up_what_result_autoscaling_tells_look_by_look():
    cpu = {"resource": {"name": "cpu", "target": {"average_utilization": "20%"}}}
    result = ms.load(scenario(autoscaling={"max_replicas": 8, "metrics": [cpu]})).run()
    (one,), frame = result.summary().autoscaling, result.autoscaling

    assert (one.at_start, one.lowest, one.highest, one.at_end) == (3, 3, 8, frame["desired"].iloc[-1])
    assert one.steps_up == (frame["desired"] > frame["replicas"]).sum() == 2
    assert one.looks == len(frame)
    assert one.metrics == {"cpu 20%": (frame["metric"] == 0).sum()}
    held = {"stabilization": (frame["stabilized"] != frame["proposed"]).sum(), **frame["limited_by"].value_counts()}
    assert one.held_back == {name: count for name, count in held.items() if count and name != "none"}
    assert {"scale_up_limit", "too_many_replicas"} & set(one.held_back)


def test_the_summary_is_the_same_after_it_was_written_and_has_a_row_for_each_autoscaler():
    summary = ms.load(scenario(autoscaling={"max_replicas": 8})).run().summary()

    assert Summary.from_dict(json.loads(json.dumps(summary.to_dict()))).autoscaling == summary.autoscaling != ()
    assert summary.autoscaling_frame().loc["back", ["max_replicas", "at_start", "steps_down"]].tolist() == [8, 3, 0]


def test_without_an_autoscaler_there_is_nothing_to_sum_up():
    summary = ms.load(scenario()).run().summary()

    assert summary.autoscaling == ()
    assert summary.autoscaling_frame().empty
