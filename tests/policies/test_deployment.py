"""Deployments: how many pods of each version there are, step by step, against the cases of Kubernetes' own tests.

The cases are those of pkg/controller/deployment/rolling_test.go and of TestScale in sync_test.go, and of TestResolveFenceposts in
util/deployment_util_test.go, as data. Left out is one: "failed rs update", where a write to the API server fails, which nothing here does.
"""

from __future__ import annotations

import pytest

from meshsim.policies.deployment import Portion, Recreate, ReplicaSet, RollingUpdate, Sizes, rounds
from meshsim.policies.deployment.rolling_update import without_unhealthy


def percent(value: int) -> Portion:
    return Portion(value, is_percent=True)


def update(surge: int | Portion = 0, unavailable: int | Portion = 0) -> RollingUpdate:
    surge, unavailable = (one if isinstance(one, Portion) else Portion(one) for one in (surge, unavailable))
    return RollingUpdate(surge, unavailable)


def pods(replicas: int, available: int | None = None) -> ReplicaSet:
    return ReplicaSet(replicas, replicas if available is None else available)


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "expected"),
    [
        (0, 0, 10, (0, 1)),
        (2, 0, 10, (2, 0)),
        (percent(25), percent(25), 10, (3, 2)),
        (percent(25), percent(25), 4, (1, 1)),
        (percent(25), percent(25), 1, (1, 0)),
        (0, percent(1), 2, (0, 1)),
        (0, percent(1), 1, (0, 1)),
        (percent(1), percent(25), 2, (1, 0)),
        (percent(1), percent(25), 1, (1, 0)),
        (percent(1), 0, 2, (1, 0)),
        (percent(100), percent(100), 7, (7, 7)),
    ],
)
def test_surge_is_rounded_up_and_unavailable_down_and_one_of_them_is_not_0(surge, unavailable, replicas, expected):
    assert update(surge, unavailable).fenceposts(replicas) == expected


@pytest.mark.parametrize(
    ("surge", "old", "new", "expected"),
    [(0, 10, 0, 0), (2, 10, 0, 2), (2, 5, 0, 7), (2, 10, 2, 2), (2, 2, 11, 10)],
)
def test_new_pods_come_as_far_as_the_surge_allows(surge, old, new, expected):
    """TestDeploymentController_reconcileNewReplicaSet: ten replicas."""
    assert update(surge).new_size(10, old, new) == expected


@pytest.mark.parametrize(
    ("unavailable", "old", "new", "expected"),
    [
        (0, pods(10), pods(0), 9),  # neither surge nor unavailable: one may be missing
        (2, pods(10), pods(0), 8),
        (2, pods(10, 8), pods(0), 8),
        (2, pods(10, 9), pods(0), 8),
        (2, pods(8), pods(2, 0), 8),
    ],
)
def test_old_pods_go_as_far_as_enough_stay_available(unavailable, old, new, expected):
    """TestDeploymentController_reconcileOldReplicaSets: ten replicas, no surge."""
    assert update(0, unavailable).old_sizes(10, (old,), new) == (expected,)


@pytest.mark.parametrize(("available", "may_go", "gone"), [(8, 1, 1), (8, 3, 2), (8, 0, 0), (10, 3, 0)])
def test_old_pods_that_are_not_available_go_first(available, may_go, gone):
    """TestDeploymentController_cleanupUnhealthyReplicas: ten pods."""
    assert without_unhealthy([pods(10, available)], may_go) == [10 - gone]


@pytest.mark.parametrize(
    ("unavailable", "available", "old", "expected"),
    [(0, 10, 10, 9), (2, 10, 10, 8), (2, 10, 0, 0)],
)
def test_available_old_pods_go_down_to_the_fewest(unavailable, available, old, expected):
    """TestDeploymentController_scaleDownOldReplicaSetsForRollingUpdate, of which two cases have unhealthy pods that are not cleaned up first."""
    assert update(0, unavailable).old_sizes(10, (pods(old, available),), pods(0)) == (expected,)


SCALED = {
    "normal scaling event: 10 -> 12": (12, 10, 10, (), 12, ()),
    "normal scaling event: 10 -> 5": (5, 10, 10, (), 5, ()),
    "proportional scaling: 5 -> 10": (10, 5, 2, (3,), 4, (6,)),
    "proportional scaling: 5 -> 3": (3, 5, 2, (3,), 1, (2,)),
    "proportional scaling: 9 -> 4": (4, 9, 8, (1,), 4, (0,)),
    "proportional scaling: 7 -> 10": (10, 7, 2, (2, 3), 3, (3, 4)),
    "proportional scaling: 13 -> 8": (8, 13, 2, (3, 8), 1, (2, 5)),
    "leftover distribution: 3 -> 4": (4, 3, 1, (1, 1), 2, (1, 1)),
    "leftover distribution: 3 -> 2": (2, 3, 1, (1, 1), 1, (0, 1)),
    "proportional scaling (no new rs): 4 -> 5": (5, 4, 0, (2, 2), 0, (2, 3)),
    "proportional scaling: 6 -> 0": (0, 6, 3, (1, 2), 0, (0, 0)),
    "proportional scaling: 0 -> 6": (6, 6, 0, (0, 0), 6, (0, 0)),
    "change both size and template": (14, 10, 0, (3, 7), 0, (4, 10)),
}


@pytest.mark.parametrize("name", SCALED)
def test_versions_share_a_change_of_size(name):
    """TestScale, without a surge; the oldest version first, where Kubernetes' lists have the newest first."""
    desired, before, new, old, expected_new, expected_old = SCALED[name]

    assert update().scaled(desired, before, [pods(one) for one in old], pods(new)) == Sizes(expected_old, expected_new)


def test_versions_share_a_change_of_size_and_of_the_surge():
    """TestScale: "deployment with surge pods"; and "saturated but broken new replica set does not affect old pods"."""
    assert update(2).scaled(20, 10, [pods(6)], pods(6)) == Sizes((11,), 11)
    assert update(1, 1).scaled(2, 2, [pods(1)], pods(2, 0)) == Sizes((1,), 2)


def test_where_the_new_version_has_all_that_it_shall_have_the_old_ones_go():
    assert update(1, 1).scaled(4, 4, [pods(1)], pods(4)) == Sizes((0,), 4)


def test_recreate_waits_until_the_last_old_pod_has_ended():
    recreate = Recreate()

    assert recreate.step(3, [pods(3)], pods(0), is_ending=False) == Sizes((0,), 0)
    assert recreate.step(3, [pods(0)], pods(0), is_ending=True) == Sizes((0,), 0)
    assert recreate.step(3, [pods(0)], pods(0), is_ending=False) == Sizes((0,), 3)
    assert recreate.scaled(5, 3, [pods(3)], pods(0)) == Sizes((5,), 0)


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "expected"),
    [
        (percent(25), percent(25), 4, 2),  # 1 + 1 at first, then the other two
        (percent(25), percent(25), 10, 2),  # 3 beyond and 2 in place of old ones at first, then the other five
        (1, 0, 5, 5),
        (0, 1, 5, 5),
        (percent(100), 0, 9, 1),
    ],
)
def test_an_update_takes_so_many_rounds(surge, unavailable, replicas, expected):
    assert rounds(update(surge, unavailable), replicas) == expected


def test_never_more_than_the_surge_and_never_fewer_than_may_be_missing():
    """Over every size and bound: each round makes all new pods available, so that an update ends."""
    for replicas in range(1, 13):
        for surge in range(4):
            for unavailable in range(4):
                strategy = update(surge, unavailable)
                old, new = pods(replicas), pods(0)
                for _ in range(200):
                    sizes = strategy.step(replicas, (old,), new, is_ending=False)
                    if sizes == ((old.replicas,), new.replicas):
                        if old.replicas == 0 and new.available == replicas:
                            break
                        new = pods(new.replicas)
                        continue
                    old, new = ReplicaSet(sizes.old[0], min(old.available, sizes.old[0])), new._replace(replicas=sizes.new)
                    assert old.replicas + new.replicas <= strategy.most(replicas)
                    assert old.available + new.available >= strategy.fewest(replicas)
                assert (old.replicas, new) == (0, pods(replicas))
