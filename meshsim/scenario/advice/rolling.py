"""Rollouts that do not come to their end, that leave too few pods meanwhile, and settings of rollouts that never come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.deployment import RollingUpdate, rounds
from meshsim.scenario.advice.capacity import work_of
from meshsim.scenario.advice.remark import Kind, Remark, count, time
from meshsim.scenario.flow import demand
from meshsim.scenario.sections.rollouts import StrategySection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow
    from meshsim.scenario.sections.rollouts import RolloutStep
    from meshsim.scenario.sections.services import ServiceSection


def unfinished(flow: Flow) -> Iterator[Remark]:
    """A rollout that cannot end before the run does, or before the next one, however well all goes."""
    run_ns = demand.run_ns(flow.scenario)
    for name, service in flow.scenario.services.items():
        steps = sorted(enumerate(service.rollouts), key=lambda one: one[1].at)
        ends = [*(step.at for _, step in steps), run_ns][1:]  # one end each
        for (index, step), until_ns in zip(steps, ends, strict=False):
            needed_ns, why = _least_ns(service, step)
            if not step.ready or step.undo or not until_ns or step.at + needed_ns <= until_ns:
                continue
            what = "the run ends" if until_ns == run_ns else "the next one begins"
            yield Remark(
                Kind.ROLLOUT_UNFINISHED,
                ("services", name, "rollouts", index, "at"),
                f"this rollout begins at {time(step.at)} and takes at least {time(needed_ns)} ({why}), but {what} at {time(until_ns)}:"
                " it cannot finish",
            )


def _least_ns(service: ServiceSection, step: RolloutStep) -> tuple[int, str]:
    """How long a rollout takes where nothing goes wrong, and why."""
    each_ns = (service.startup_time if step.startup_time is None else step.startup_time) + service.min_ready
    times = rounds((service.strategy or StrategySection()).chosen, service.replicas)
    return times * each_ns, f"{count(times, 'time')} {time(each_ns)} until new pods are available"


def too_few(flow: Flow) -> Iterator[Remark]:
    """Pods that a rollout may take away are needed for the load."""
    flow = flow.of_open_loads
    for name, service in flow.scenario.services.items():
        if not service.rollouts or flow.unknown or not service.threads:
            continue
        strategy = (service.strategy or StrategySection()).chosen
        fewest = strategy.fewest(service.replicas) if isinstance(strategy, RollingUpdate) else 0
        work, longest_ns = work_of(flow, name), max(_least_ns(service, step)[0] for step in service.rollouts)
        if not longest_ns or not work.busy or not fewest * service.threads <= work.busy < service.replicas * service.threads:
            continue
        remedy = "write strategy: {rolling_update: {max_unavailable: 0, max_surge: 1}}, or add replicas"
        yield Remark(
            Kind.ROLLOUT_LEAVES_TOO_FEW,
            ("services", name, "strategy") if service.strategy is not None else ("services", name, "rollouts"),
            f"{name} is offered {work.words}, and while a rollout lasts only {fewest} of {count(service.replicas, 'replica')} are sure to be"
            f" available: {fewest * service.threads} workers; {remedy}",
        )


def without_rollouts(flow: Flow) -> Iterator[Remark]:
    """How versions change, of a service with one version only."""
    for name, service in flow.scenario.services.items():
        if service.rollouts:
            continue
        for key, is_written in (("strategy", service.strategy is not None), ("min_ready", bool(service.min_ready))):
            if is_written:
                yield Remark(
                    Kind.NOTHING_ROLLS_OUT,
                    ("services", name, key),
                    f"no new version of {name} comes, so that this does nothing; write rollouts: [{{at: 1m}}]",
                )


CHECKS = (unfinished, too_few, without_rollouts)
