"""Deployments: versions of a service, of which the newest takes the place of the others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from meshsim.engines.reference.control.lifecycle import LONG_AGO_NS, Life
from meshsim.policies.deployment import ReplicaSet, Sizes

if TYPE_CHECKING:
    from meshsim.engines.reference.control.lifecycle import Process
    from meshsim.engines.reference.control.registry import Registry
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.plan import Lifecycle, Revision, Rollouts
    from meshsim.recorder import Recorder


class Version:
    """One version, and where its pods are."""

    __slots__ = ("number", "places", "revision")

    def __init__(self, number: int, revision: Revision, places: list[int]) -> None:
        self.number = number
        """Of its latest rollout, 0 for the one at the start."""
        self.revision = revision
        self.places = places


class Deployment(Life):
    """The lives of pods of several versions.

    A new pod takes a place where nothing ends still, in the zone with the fewest pods of all versions that do not end: the spread
    does not tell versions apart (no `matchLabelKeys`). Of a version that shall have fewer, first go pods that are not ready,
    then one of the zone with most, then the one that was made ready last. The controller looks whenever a pod becomes ready, available
    or unready, and in no time.

    Source: Kubernetes, pkg/controller/deployment/deployment_controller.go (syncDeployment), sync.go; pkg/controller/controller_utils.go
    (ActivePodsWithRanks); pkg/scheduler/framework/plugins/podtopologyspread/common.go (countPodsMatchSelector leaves out pods that end).
    """

    def __init__(
        self,
        clock: Clock,
        recorder: Recorder,
        plan: Lifecycle,
        rollouts: Rollouts,
        instances: tuple[Instance, ...],
        registry: Registry,
    ) -> None:
        super().__init__(clock, plan, instances, registry)
        self._recorder = recorder
        self._rollouts = rollouts
        self._versions = [Version(0, rollouts.first, list(range(plan.replicas)))]
        """In the order in which they were made."""
        self._new = self._versions[0]
        """The one that all pods shall be of."""
        self._ready_ns: list[int | None] = [LONG_AGO_NS if place < plan.replicas else None for place in range(len(instances))]
        """Since when each pod has been ready."""
        self._worn = [rollouts.first] * len(instances)
        """The revision of what was made at each place last."""
        self._is_due = False
        """Whether the controller looks before this instant is over."""
        self._told: list[int] = []
        """The row before, without its time."""
        registry.listen(self._hear)

    def begin(self) -> None:
        """Start the processes that the plan asks for."""
        super().begin()
        self._clock.process(self._change())

    def scale_to(self, replicas: int) -> None:
        """So many shall there be from now on, of all versions together."""
        before, self.wanted = self.wanted, replicas
        if replicas != before:
            self._resize(self._rollouts.strategy.scaled(replicas, before, *self._sets()))
        self._look()

    def places(self) -> tuple[int, ...]:
        """Where pods are that do not end."""
        return tuple(sorted(place for version in self._versions for place in version.places))

    def _change(self) -> Process:
        """The pod template changes at the given times."""
        for number, (at_ns, revision) in enumerate(self._rollouts.changes, 1):
            yield self._clock.timeout(at_ns - self._clock.now_ns)
            if revision is None:
                others = [version for version in self._versions if version is not self._new]
                self._new = max(others, key=lambda version: version.number)
                self._new.number = number
            else:
                self._new = Version(number, revision, [])
                self._versions.append(self._new)
            self._look()

    def _look(self) -> None:
        """Do what the controller does until it waits for pods."""
        self._is_due = False
        strategy = self._rollouts.strategy
        while True:
            old, new = self._sets()
            sizes = strategy.step(self.wanted, old, new, is_ending=bool(self._ending))
            if sizes == Sizes(tuple(one.replicas for one in old), new.replicas):
                break
            self._resize(sizes)
        self._note()

    def _resize(self, sizes: Sizes) -> None:
        """Let each version have so many pods."""
        for version, size in zip([*self._old, self._new], [*sizes.old, sizes.new], strict=True):
            while len(version.places) > size:
                place = self._leaving(version)
                version.places.remove(place)
                self._ready_ns[place] = None
                self._stop(place)
            while len(version.places) < size:
                place = self._free_place()
                version.places.append(place)
                self._clock.process(self._start(place))

    @property
    def _old(self) -> list[Version]:
        return [version for version in self._versions if version is not self._new]

    @property
    def _ending(self) -> int:
        """How many pods end."""
        return sum(end is not None and end.is_alive for end in self._ends)

    def _sets(self) -> tuple[tuple[ReplicaSet, ...], ReplicaSet]:
        """The older versions and the new one, as the controller sees them."""
        old, new = [self._set(version) for version in self._old], self._set(self._new)
        return tuple(old), new

    def _set(self, version: Version) -> ReplicaSet:
        return ReplicaSet(len(version.places), sum(self._is_available(place) for place in version.places))

    def _is_available(self, place: int) -> bool:
        since_ns = self._ready_ns[place]
        return since_ns is not None and since_ns + self._rollouts.min_ready_ns <= self._clock.now_ns

    def _free_place(self) -> int:
        """Where the next pod goes: where nobody ends still, unless somebody does everywhere."""
        taken = set(self.places())
        crowd = Counter(self._instances[place].zone for place in taken)
        empty = [place for place in range(len(self._instances)) if place not in taken]
        ends = self._ends
        free = [place for place in empty if (end := ends[place]) is None or not end.is_alive] or empty
        return min(free, key=lambda place: (crowd[self._instances[place].zone], place))

    def _leaving(self, version: Version) -> int:
        """Which pod of a version goes next."""
        crowd = Counter(self._instances[place].zone for place in self.places())

        def rank(place: int) -> tuple[bool, int, int, int]:
            ready_ns = self._ready_ns[place]
            return ready_ns is None, crowd[self._instances[place].zone], ready_ns or 0, place

        return max(version.places, key=rank)

    def _hear(self, place: int, is_listed: bool) -> None:  # noqa: FBT001 — as all who listen to a registry
        """A pod has become ready, or has ceased to be."""
        self._ready_ns[place] = self._clock.now_ns if is_listed else None
        self._look_soon()
        if is_listed and self._rollouts.min_ready_ns:
            self._clock.call_at(self._clock.now_ns + self._rollouts.min_ready_ns, self._look_soon)

    def _look_soon(self) -> None:
        """Look when all that happens in this instant has been told."""
        if not self._is_due:
            self._is_due = True
            self._clock.call_at(self._clock.now_ns, self._look)

    def _startup_ns(self, index: int) -> int:
        return self._revision_of(index).startup_ns

    def _renew(self, index: int) -> None:
        """What begins to serve is of another version than what stood there."""
        instance, before, after = self._instances[index], self._worn[index], self._revision_of(index)
        if before is after:
            return
        self._worn[index] = after
        for revision, slow, fail in (
            (before, instance.speed_up, instance.fail_less),
            (after, instance.slow_down, instance.fail_some),
        ):
            if revision.slowness != 1:
                slow(revision.slowness)
            if revision.failing is not None:
                fail(revision.failing)

    def _revision_of(self, place: int) -> Revision:
        return next((version.revision for version in self._versions if place in version.places), self._worn[place])

    def _end(self, instance: Instance) -> Process:
        yield from super()._end(instance)
        self._look_soon()

    def _note(self) -> None:
        """A row, where anything is different from the one before."""
        sets = [*self._sets()[0], self._set(self._new)]
        total, available = sum(one.replicas for one in sets), sum(one.available for one in sets)
        ready = sum(self._ready_ns[place] is not None for place in self.places())
        row = [
            self._instances[0].service, self._new.number, self.wanted, total, sets[-1].replicas, ready, available,
            max(0, total - available), self._ending,
        ]  # fmt: skip
        if row != self._told:
            self._told = row
            self._recorder.deployments.append([self._clock.now_ns, *row])
