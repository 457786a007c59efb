"""Loads that have no time for what they say of themselves: bursts that never come round, and iterations that are never sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.scenario.advice.remark import Kind, Remark, number, per_second, time
from meshsim.scenario.flow import demand
from meshsim.scenario.sections.loads import OpenLoad, PerUserIterations, SharedIterations
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow

FEWEST_ROUNDS = 3
"""Through all states, of all sources together: with fewer the mean of a run tells little of the rate that is written."""
CERTAINLY = 0.95
"""Of the iterations: a load that has time for so many in the mean may send all."""


def bursts(flow: Flow) -> Iterator[Remark]:
    """States that last so long that the load's rate is left to chance."""
    run_ns = demand.run_ns(flow.scenario)
    for source in flow.sources:
        load = flow.scenario.load[source.name]
        if not isinstance(load, OpenLoad) or load.bursts is None:
            continue
        round_ns = sum(state.lasts.chosen.build().mean_ns for state in load.bursts.states)
        lasts_ns = min(source.lasts_s * NS_PER_S, run_ns)
        if lasts_ns * load.bursts.sources < FEWEST_ROUNDS * round_ns:
            yield Remark(
                Kind.BURSTS_OUTLAST_THE_LOAD,
                ("load", source.name, "bursts", "states"),
                f"a full cycle of states takes {time(round_ns)} on average, but the load lasts only {time(lasts_ns)}: the rate of a run is left to"
                f" chance and may be far from {per_second(source.rate)}; use shorter states, more sources or a longer load",
            )


def iterations(flow: Flow) -> Iterator[Remark]:
    """More iterations than there is time for."""
    run_ns = demand.run_ns(flow.scenario)
    for source in flow.sources:
        load = flow.scenario.load[source.name]
        if not isinstance(load, PerUserIterations | SharedIterations) or load.timeout is not None or load.patience is not None:
            continue
        wanted = load.iterations * (load.vus if isinstance(load, PerUserIterations) else 1)
        lasts_ns = min(run_ns - load.start, load.max_duration)
        fits = load.vus + flow.rate(source) * lasts_ns / NS_PER_S
        if flow.rate(source) and fits < wanted * CERTAINLY:
            yield Remark(
                Kind.ITERATIONS_LEFT_OVER,
                ("load", source.name, "iterations"),
                f"{source.name} should send {wanted:,} requests but has time for at most about {number(fits)} in {time(lasts_ns)}: the rest are"
                " never sent; use fewer iterations, more users, or a longer run and max_duration",
            )


CHECKS = (bursts, iterations)
