"""Faults by chance against what is known of alternating renewal processes and of queues that break down."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest

import meshsim as ms
from meshsim.distributions import Constant, Exponential, Gamma
from meshsim.plan.fault_times import drawn, spans
from meshsim.randomness import root_key

SECOND = 1_000_000_000
KEY = root_key(7, 0, 1)


@pytest.mark.parametrize(
    ("up", "down"),
    [
        (Exponential(mean=4 * SECOND), Exponential(mean=SECOND)),
        (Exponential(mean=4 * SECOND), Constant(value=SECOND)),
        (Gamma(cv=0.5, mean=4 * SECOND), Gamma(cv=1.4, mean=SECOND)),
    ],
)
def test_the_share_of_time_that_it_is_up_is_mtbf_over_mtbf_and_mttr_whatever_the_distributions(up: Any, down: Any):
    """Of an alternating renewal process the deviation of that share over T is sqrt((mttr^2 var up + mtbf^2 var down) / (cycle^3 T))."""
    up, down = up.build(), down.build()
    cycles = 20_000
    came = np.array(list(spans(KEY, 0, cycles * 5 * SECOND, up, down)), dtype=np.float64) / SECOND
    down_s = (came[:, 1] - came[:, 0]).sum()
    # 16 and 1 are the largest variances of the three pairs but for gamma's down: 2
    deviation = sqrt((1 * 16 + 16 * 2) / (125 * cycles * 5))

    assert down_s / (cycles * 5) == pytest.approx(1 / 5, abs=4 * deviation)
    assert (came[1:, 0] > came[:-1, 1]).all()


def test_times_to_failure_without_memory_come_as_often_as_a_poisson_process_on_the_time_that_it_is_up():
    """Odds of a false alarm: 1 in 16,000."""
    came = list(spans(KEY, 0, 40_000 * SECOND, Exponential(mean=3 * SECOND).build(), Constant(value=SECOND).build()))

    assert len(came) == pytest.approx(10_000, abs=4 * sqrt(10_000 * 9 / 16))  # variance of a renewal count: var / mean^3 * T


def test_a_queue_that_loses_all_with_each_breakdown_answers_what_catastrophes_leave():
    """M/M/1 with total catastrophes at rate xi while it is up: the number in it is geometric, with the root of
    mu z^2 - (lambda + mu + xi) z + lambda = 0; of what arrives while it is up xi L / lambda is lost (Chao, Operations Research Letters
    18(2), 1995; Krishna Kumar and Arivudainambi, Computers & Mathematics with Applications 40, 2000). Without down times in between it
    is the same process, because it starts anew and empty after each.
    """
    arrive, serve, fail = 80.0, 100.0, 2.0
    made = ms.load(
        {
            "name": "breakdowns",
            "load": {
                "all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "80/s", "requests": {"one/get": 1}}
            },
            "services": {
                "one": {"workers": 1, "operations": {"get": {"script": [{"compute": {"exponential": {"mean": "10ms"}}}]}}}
            },
            "faults": [{"service": "one", "crash": True, "mtbf": "500ms", "mttr": {"constant": {"value": "100ms"}}}],
            "run": {"duration": "120s", "seed": 11},
        }
    )
    requests = made.run().requests
    faults = drawn(made.plan, 11, 0).faults
    ends_ns = np.array([fault.until_ns for fault in faults])
    place = np.searchsorted(ends_ns, requests["started_ns"].to_numpy(), side="right")
    begins_ns = np.append([fault.from_ns for fault in faults], np.iinfo(np.int64).max)
    is_up = requests["started_ns"].to_numpy() < begins_ns[place]
    lost = (requests["status"] != 200).to_numpy()
    root = (arrive + serve + fail - sqrt((arrive + serve + fail) ** 2 - 4 * arrive * serve)) / (2 * serve)
    in_it = root / (1 - root)

    assert lost[~is_up].all()
    assert len(faults) == pytest.approx(200, abs=4 * sqrt(200))
    share = fail * in_it / arrive
    # each breakdown loses what is in it, geometric: variance root / (1 - root)^2 around its mean
    deviation = sqrt(root / (1 - root) ** 2 * len(faults)) / is_up.sum()
    assert lost[is_up].mean() == pytest.approx(share * len(faults) / (fail * is_up.sum() / arrive), abs=4 * deviation)
