"""How autoscalers went over time: what the last look before the end of an interval said."""

from __future__ import annotations

from dataclasses import replace

import made_up
import numpy as np
import pytest
from made_up import SECOND
from test_scaling import CPU, IN_FLIGHT, LIFE

from meshsim.metrics.over_time.scaling import ScalingOverTime
from meshsim.plan import NONE


def table(*looks, simulated_s=6):
    """Of `cart` and `payment`; `checkout` has no autoscaler. Looks: s, service, desired, ready, metric, usage."""
    plan = made_up.plan(services=("cart", "checkout", "payment"), replicas=9)
    lives = (LIFE, None, LIFE)
    sink = ScalingOverTime(
        replace(plan, services=tuple(replace(one, lifecycle=life) for one, life in zip(plan.services, lives, strict=True)))
    )
    for at_s, *look in looks:
        names = ("service", "desired", "ready", "metric", "usage")
        sink.take(
            "autoscaling",
            made_up.chunk("autoscaling", time_ns=int(at_s * SECOND), **dict(zip(names, look, strict=True))),
        )
    return sink.table(simulated_s * SECOND)


def test_each_interval_has_what_the_last_look_before_its_end_said():
    found = table((0.5, 0, 3, 3, NONE, -1), (2, 0, 5, 3, CPU, 120), (4.1, 0, 6, 5, CPU, 60), (4.9, 0, 7, 4, IN_FLIGHT, 3000))

    cart = found["service"] == "cart"
    assert found["time_s"][cart].tolist() == [0, 1, 2, 3, 4, 5]
    assert found["interval_s"].tolist() == [1.0] * 12
    assert found["wanted"][cart].tolist() == [3, 3, 5, 5, 7, 7]
    assert found["ready"][cart].tolist() == [3, 3, 3, 3, 4, 4]
    np.testing.assert_array_equal(found["of_target"][cart], [np.nan, np.nan, 1.5, 1.5, 2, 2])


def test_before_the_first_look_the_replicas_of_the_start_are_wanted():
    found = table((0.5, 0, 9, 3, CPU, 80))

    assert list(dict.fromkeys(found["service"])) == ["cart", "payment"]
    payment = found["service"] == "payment"
    assert found["wanted"][payment].tolist() == [3] * 6
    assert np.isnan(found["ready"][payment]).all()
    assert np.isnan(found["of_target"][payment]).all()


@pytest.mark.parametrize("simulated_s", [10, 7_000])
def test_a_run_that_takes_longer_than_planned_has_wider_intervals(simulated_s):
    found = table((5, 2, 4, 3, CPU, 80), simulated_s=simulated_s)

    width = 1 if simulated_s == 10 else 4
    assert found["interval_s"][0] == width
    assert found["wanted"][found["service"] == "payment"].tolist()[: 8 // width] == [3, 3, 3, 3, 3, 4, 4, 4][width - 1 :: width]
