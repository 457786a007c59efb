"""What rollouts did: how long each took, and how the pods went over time."""

from __future__ import annotations

import json
from dataclasses import replace

import made_up
import numpy as np
import pytest
from made_up import SECOND

import meshsim as ms
from meshsim.metrics.over_time.rollouts import RolloutsOverTime
from meshsim.metrics.policies.rollouts import RolloutsSeen
from meshsim.metrics.summary import Summary
from meshsim.plan import NONE, Lifecycle, Revision, Rollouts
from meshsim.policies.deployment import RollingUpdate

LIFE = Lifecycle(
    4, tuple(range(9)), (), (), startup_ns=0, pre_stop_ns=0, grace_ns=0, readiness_ns=NONE,
    rollouts=Rollouts(RollingUpdate(), 0, Revision(0), ()),
)  # fmt: skip
COLUMNS = ("service", "revision", "desired", "pods", "updated", "ready", "available", "unavailable", "terminating")


def fed(kind, *rows):
    """Of `cart` and `payment`, which have rollouts; `checkout` has none. Rows: s, then `COLUMNS`."""
    plan = made_up.plan(services=("cart", "checkout", "payment"), replicas=9)
    lives = (LIFE, None, LIFE)
    sink = kind(
        replace(plan, services=tuple(replace(one, lifecycle=life) for one, life in zip(plan.services, lives, strict=True)))
    )
    for at_s, *row in rows:
        sink.take(
            "deployments", made_up.chunk("deployments", time_ns=round(at_s * SECOND), **dict(zip(COLUMNS, row, strict=True)))
        )
    return sink


def test_a_rollout_ends_when_all_pods_are_of_its_version_and_available():
    (one,) = fed(
        RolloutsSeen, (1, 0, 1, 4, 5, 2, 3, 3, 2, 1), (2, 0, 1, 4, 5, 4, 5, 3, 2, 1), (3.5, 0, 1, 4, 4, 4, 4, 4, 0, 2), (4, 0, 1, 4, 4, 4, 3, 3, 1, 0)
    ).summaries()  # fmt: skip

    assert (one.label, one.began_s, one.duration_s, one.is_superseded) == ("cart: 1", 1.0, 2.5, False)
    assert (one.desired, one.available_least, one.updated, one.pods_most, one.terminating_most) == (4, 3, 4, 5, 2)


def test_what_the_next_rollout_overtakes_never_ends():
    first, second, other = fed(
        RolloutsSeen, (1, 0, 1, 4, 5, 2, 3, 3, 2, 0), (2, 2, 1, 4, 5, 2, 3, 3, 2, 0), (2, 0, 2, 4, 5, 1, 3, 3, 2, 0)
    ).summaries()  # fmt: skip

    assert (first.duration_s, first.is_superseded) == (None, True)
    assert (second.duration_s, second.is_superseded) == (None, False)
    assert (other.service, other.is_superseded) == ("payment", False)


def test_a_change_of_size_before_any_rollout_is_none():
    assert fed(RolloutsSeen, (1, 0, 0, 6, 6, 6, 4, 4, 2, 0)).summaries() == ()


def test_over_time_it_is_the_fewest_available_and_the_most_pods_of_each_interval():
    found = fed(RolloutsOverTime, (1.2, 0, 1, 4, 6, 2, 3, 3, 3, 1), (1.6, 0, 1, 4, 5, 4, 4, 5, 0, 0)).table(4 * SECOND)
    cart = found["service"] == "cart"

    assert list(dict.fromkeys(found["service"])) == ["cart", "payment"]
    assert found["available_share"][cart].tolist() == [1, 0.75, 1, 1]
    np.testing.assert_allclose(found["updated_share"][cart], [1, 1 / 3, 0.8, 0.8])
    assert found["pods"][cart].tolist() == [4, 6, 5, 5]
    assert found["terminating"][cart].tolist() == [0, 1, 0, 0]
    assert found["pods"][~cart].tolist() == [4] * 4


def scenario(**back):
    return {
        "name": "rolled",
        "load": {"web": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "20/s", "requests": {"back": 1}}},
        "services": {"back": {"replicas": 4, "startup_time": "5s", "script": [{"compute": "10ms"}], **back}},
        "run": {"duration": "30s", "interval": "100ms"},
    }


def test_a_run_sums_up_what_result_deployments_tells():
    result = ms.load(scenario(rollouts=[{"at": "10s"}])).run()
    (one,), rows = result.summary().rollouts, result.deployments

    assert (one.began_s, one.duration_s) == (10.0, 10.0)
    assert one.available_least == rows["available"].min() == 3
    assert one.pods_most == rows["pods"].max() == 5
    assert (rows["unavailable"] == rows["pods"] - rows["available"]).all()
    assert result.summary().rollouts_frame().loc["back: 1", ["duration_s", "desired"]].tolist() == [10, 4]
    assert Summary.from_dict(json.loads(json.dumps(result.summary().to_dict()))).rollouts == (one,)


def test_replica_hours_count_pods_that_are_up_and_no_empty_places():
    hours = [ms.load(scenario(**more)).run().summary().services[0].replica_hours for more in ({}, {"rollouts": [{"at": "10s"}]})]

    assert hours[0] == pytest.approx(4 * 30 / 3600)
    assert hours[1] == pytest.approx((4 * 10 + 3 * 10 + 4 * 10) / 3600, rel=0.01)  # those that start are not up


def test_without_rollouts_there_is_nothing_to_sum_up():
    result = ms.load(scenario()).run()

    assert result.summary().rollouts == ()
    assert result.deployments.empty
    assert result.summary().rollouts_frame().empty
