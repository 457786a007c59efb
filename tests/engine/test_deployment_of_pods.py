"""Rollouts: which pods come and go when, by Kubernetes' rules, and what the new ones are like."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from control_bench import MS, Bench, fault, lifecycle

import meshsim as ms
from meshsim.flags import Flag
from meshsim.plan import NONE, Failing, Revision, Rollouts
from meshsim.planning import make_plan
from meshsim.policies.deployment import Portion, Recreate, RollingUpdate
from meshsim.records import DEPLOYMENTS
from meshsim.scenario.sections.model import Scenario

STARTUP = 40
QUARTERS = RollingUpdate()


def one_by_one(surge: int = 1, unavailable: int = 0) -> RollingUpdate:
    return RollingUpdate(Portion(surge), Portion(unavailable))


def version(**settings: Any) -> Revision:
    return Revision(**{"startup_ns": STARTUP * MS, **settings})


def deployed(
    replicas: int, *changes: tuple[float, Revision | None], strategy: Any = QUARTERS, min_ready: int = 0, places: int | None = None, **life: Any
) -> Bench:  # fmt: skip
    """A service whose pods take 40 ms to start, unless the version says otherwise."""
    made = tuple((round(at * MS), revision) for at, revision in changes)
    rollouts = Rollouts(strategy, min_ready * MS, version(), made)
    rest = {name: life.pop(name) for name in ("faults", "workers") if name in life}
    return Bench(places=places or 2 * replicas + 3, life=lifecycle(replicas, startup=STARTUP, rollouts_=rollouts, **life), **rest)


def rows(bench: Bench, *columns: str) -> list[tuple[float, ...]]:
    """What the controller saw at the end of each instant: ms, and these columns."""
    found = {row[0]: dict(zip(DEPLOYMENTS, row, strict=True)) for row in bench.recorder.deployments}
    return [(at / MS, *(row[name] for name in columns)) for at, row in found.items()]


SEEN = ("pods", "updated", "available", "terminating")


def test_ten_pods_with_kubernetes_defaults_change_in_two_rounds():
    """3 beyond and 2 in place of old ones at once, as in the example of rolling.go; then the other five."""
    bench = deployed(10, (100, version()))
    bench.run(1000)

    assert rows(bench, *SEEN) == [(100, 13, 5, 8, 0), (140, 13, 10, 8, 0), (180, 10, 10, 10, 0)]
    assert len(bench.gateway.joined) == len(bench.gateway.left) == 10


def test_four_pods_with_kubernetes_defaults():
    bench = deployed(4, (100, version()))
    bench.run(1000)

    assert rows(bench, *SEEN) == [(100, 5, 2, 3, 0), (140, 5, 4, 3, 0), (180, 4, 4, 4, 0)]


def test_one_beyond_and_none_missing_is_one_after_the_other():
    bench = deployed(3, (100, version()), strategy=one_by_one())
    bench.run(1000)

    assert bench.gateway.joined == [(140, 3), (180, 4), (220, 2)]  # the place of who left at 140 is free
    assert bench.gateway.left == [(140, 2), (180, 1), (220, 0)]


def test_one_missing_and_none_beyond_is_one_after_the_other_too():
    bench = deployed(3, (100, version()), strategy=one_by_one(0, 1))
    bench.run(1000)

    assert [at for at, _ in bench.gateway.left] == [100, 140, 180]
    assert [at for at, _ in bench.gateway.joined] == [140, 180, 220]


def test_a_pod_counts_when_it_has_been_ready_for_min_ready():
    bench = deployed(3, (100, version()), strategy=one_by_one(), min_ready=25)
    bench.run(1000)

    assert [at for at, _ in bench.gateway.joined] == [140, 205, 270]
    assert [at for at, _ in bench.gateway.left] == [165, 230, 295]
    assert (140, 3, 4) in [(at, available, ready) for at, available, ready in rows(bench, "available", "ready")]


def test_pods_that_end_hold_nothing_up():
    """Five pods end for half a second each, and the new ones come meanwhile."""
    bench = deployed(5, (100, version()), strategy=one_by_one(), pre_stop=500)
    bench.run(2000)

    assert bench.gateway.joined[-1][0] == 300
    assert max(terminating for _, terminating in rows(bench, "terminating")) == 5
    assert rows(bench, *SEEN)[-1] == (800, 5, 5, 5, 0)


def test_recreate_starts_when_the_last_old_pod_has_ended():
    bench = deployed(3, (100, version()), strategy=Recreate(), pre_stop=60, grace=1000)
    lasts = bench.send(100, 100, to=1)
    bench.run(2000)

    assert lasts.flags == Flag(0)
    assert [at for at, _ in bench.gateway.left] == [100, 100, 100]
    assert [at for at, _ in bench.gateway.joined] == [241, 241, 241]  # its last answer left at 201


def test_a_version_that_never_becomes_ready_holds_the_rollout_up_and_undo_ends_that():
    """Three of four stay, as they are: only one comes anew."""
    bench = deployed(4, (100, version(startup_ns=NONE)), (500, None))
    bench.run(2000)

    assert rows(bench, *SEEN) == [(100, 5, 2, 3, 0), (500, 4, 4, 3, 0), (540, 4, 4, 4, 0)]
    assert [index for _, index in bench.gateway.left] == [3]


def test_a_rollout_during_a_rollout_takes_pods_that_are_not_available_first():
    """Case 2 of rolling.go's comment, on ten pods with a surge of 3 and 2 missing: five of the broken version go at once."""
    strategy = RollingUpdate(Portion(3), Portion(2))
    bench = deployed(10, (100, version(startup_ns=NONE)), (300, version()), strategy=strategy)
    bench.run(2000)

    assert rows(bench, "revision", *SEEN)[:3] == [(100, 1, 13, 5, 8, 0), (300, 2, 13, 5, 8, 0), (340, 2, 13, 10, 8, 0)]
    assert len(bench.gateway.left) == 10  # those of the broken version never were in the list


def test_the_new_version_is_slower_or_fails_and_the_old_pods_are_not():
    failing = Failing(0, 1.0, None, NONE, NONE, NONE, None)
    bench = deployed(1, (100, version(slowness=3.0, failing=failing)), (400, None), pre_stop=50)
    before, old, new, undone = (bench.send(at, 10, to=to) for at, to in ((50, 0), (145, 0), (150, 1), (500, 0)))
    bench.run(2000)

    assert (before.ended_ms, old.ended_ms) == (62, 157)
    assert (new.ended_ms, new.flags) == (182, Flag.error)
    assert (undone.ended_ms, undone.flags) == (512, Flag(0))


def test_the_spread_does_not_tell_versions_apart_so_that_a_rollout_may_leave_it_uneven():
    """2/2/2 before and after the first rollout, 1/2/3 after the second: why Kubernetes has `matchLabelKeys` (KEP-3243)."""
    scenario = {
        "name": "spread",
        "load": {"clients": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "1/s", "requests": {"back": 1}}},
        "services": {
            "back": {
                "zones": {"x": 2, "y": 2, "z": 2}, "script": [{"compute": "1ms"}], "startup_time": "1s",
                "rollouts": [{"at": "2s"}, {"at": "10s"}],
            }
        },
        "run": {"duration": "20s", "interval": "1s"},
    }  # fmt: skip
    result = ms.load(scenario).run(seed=1)
    zones = make_plan(Scenario.model_validate(scenario)).services[0].zones

    counted = result.counters
    for second, spread in ((9, [2, 2, 2]), (20, [1, 2, 3])):
        up = counted[(counted["time_ns"] == second * 1000 * MS) & (counted["is_up"] == 1)]["instance"]
        assert sorted(Counter(zones[place] for place in up).values()) == spread


def test_a_pod_that_crashes_while_it_is_awaited_is_waited_for():
    """The old pod whose readiness probe has failed goes first, and does not count as one that may be missing."""
    bench = deployed(
        4, (200, version()), strategy=one_by_one(0, 1), readiness=50, faults=(fault(100, 2000, 1),),
    )  # fmt: skip
    bench.run(3000)

    assert bench.gateway.left[:2] == [(150, 1), (240, 3)]
    assert rows(bench, *SEEN)[1] == (200, 4, 1, 3, 0)


def test_a_change_of_size_in_the_middle_is_shared_in_proportion():
    """4 -> 8 while two of five pods are new: the surge grows from 1 to 2, and ten pods are shared 3 to 2 of five, so 6 and 4."""
    bench = deployed(4, (100, version()), scale=[(120, 8)], places=20)
    bench.run(1000)

    assert rows(bench, "desired", *SEEN)[1] == (120, 8, 10, 4, 3, 0)
    assert rows(bench, "desired", *SEEN)[-1][1:] == (8, 8, 8, 8, 0)


def test_a_place_is_taken_again_only_when_nothing_ends_there():
    """Three rollouts in a row of a service that has as few places as its pods and the surge."""
    bench = deployed(2, (100, version()), (300, version()), (500, version()), strategy=one_by_one(), pre_stop=30, places=5)
    bench.run(2000)

    assert rows(bench, *SEEN)[-1][1:] == (2, 2, 2, 0)
    taken = Counter(index for _, index in bench.gateway.joined)
    assert sum(taken.values()) == 6


@pytest.mark.parametrize("replicas", [1, 2, 7])
def test_nobody_notices_a_rollout_without_missing_pods_and_with_a_sleep_before_the_stop(replicas):
    bench = deployed(replicas, (100, version()), strategy=one_by_one(), pre_stop=20, grace=1000, workers=50)
    sent = [bench.send(at) for at in range(0, 600, 3)]
    bench.run(3000)

    assert {one.flags for one in sent} == {Flag(0)}


@pytest.mark.parametrize("seed", range(12))
def test_whatever_comes_together_all_pods_are_of_the_last_version_in_the_end(seed):
    """Rollouts, sizes and crashes at times drawn at random; never more pods than the surge allows, never fewer places than pods."""
    draw = random.Random(seed)
    strategy = draw.choice([QUARTERS, one_by_one(), one_by_one(0, 1), one_by_one(2, 2), Recreate()])
    times = sorted(draw.sample(range(50, 900), 4))
    versions = [
        (times[0], version()),
        *((at, draw.choice([version(), version(startup_ns=NONE), None])) for at in times[1:3]),
        (times[3], version()),
    ]
    sizes = [(draw.randrange(50, 900), draw.randrange(0, 9)) for _ in range(3)] + [(950, 5)]
    bench = deployed(
        4, *versions, strategy=strategy, min_ready=draw.choice([0, 15]), places=21, scale=sorted(sizes), readiness=20,
        pre_stop=draw.choice([0, 70]), faults=tuple(fault(at, at + 200, draw.randrange(8)) for at in (100, 400, 700)),
    )  # fmt: skip
    sent = [bench.send(at, to=draw.randrange(21)) for at in range(0, 1500, 10)]
    bench.run(4000)

    assert rows(bench, "revision", "desired", *SEEN)[-1][1:] == (4, 5, 5, 5, 5, 0)
    assert all(one.outcome is not None for one in sent)
    if isinstance(strategy, RollingUpdate):
        changed = {at for at, _ in sizes}
        assert all(pods <= max(strategy.most(desired), pods_before)
                   for (_, _, pods_before), (at, desired, pods) in pairwise(rows(bench, "desired", "pods")) if at not in changed)  # fmt: skip
