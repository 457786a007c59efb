"""How many replicas there should be over time: by the plan, by a schedule, by what an autoscaler decided."""

from __future__ import annotations

from dataclasses import replace

import made_up
import numpy as np
from made_up import SECOND, chunk

from meshsim.metrics.over_time.wanted import Wanted
from meshsim.plan import NONE, Lifecycle

LIFE = Lifecycle(2, tuple(range(6)), (), (), startup_ns=0, pre_stop_ns=0, grace_ns=0, readiness_ns=NONE)
TIMES_NS = np.asarray([0, 4, 5, 8, 10, 60]) * SECOND


def wanted(*lives: Lifecycle | None) -> Wanted:
    """Of services with six places each."""
    plan = made_up.plan(services=tuple(f"service-{number}" for number in range(len(lives))), replicas=6)
    services = tuple(replace(one, lifecycle=life) for one, life in zip(plan.services, lives, strict=True))
    return Wanted(replace(plan, services=services))


def test_without_a_lifecycle_all_are_wanted_and_with_a_schedule_those_of_its_last_step():
    found = wanted(None, replace(LIFE, scale=((5 * SECOND, 6), (10 * SECOND, 1))))

    assert found.at(0, TIMES_NS).tolist() == [6] * 6
    assert found.at(1, TIMES_NS).tolist() == [2, 2, 6, 6, 1, 1]


def test_an_autoscaler_changes_them_from_its_looks_on_each_service_by_itself():
    found = wanted(LIFE, LIFE)
    for at, service, before, after in ((4, 0, 2, 2), (5, 0, 2, 5), (8, 1, 2, 3), (10, 0, 5, 4)):
        found.take("autoscaling", chunk("autoscaling", time_ns=at * SECOND, service=service, replicas=before, desired=after))
    found.take("counters", chunk("counters", time_ns=SECOND, service=0))

    assert found.at(0, TIMES_NS).tolist() == [2, 2, 5, 5, 4, 4]
    assert found.at(1, TIMES_NS).tolist() == [2, 2, 2, 3, 3, 3]
