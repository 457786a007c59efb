"""One measured case against its simulation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from as_scenario import scenario_of, seeds_of
from figures import Figures, measured, median, simulated
from measured_cases import Case
from noise_floor import Deviation, deviations, floor_of

import meshsim as ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RUNS = 3
OUTSIDE: dict[str, str] = {
    "admission": "Rejections are random, and feed back. In the 5 s after the errors end, three seeds of the model have 57 to 62 % success,"
    " against 67 % measured; before, afterwards and overall (68.9 against 69.3 %) they agree.",
    "out_panic0": "For 25 s the two remaining hosts are loaded just to their capacity, so that the longest waits depend on the smallest"
    " differences: p99 is 8 % lower than measured; success, flags and shares lie inside.",
    "rl_poisson100": "The measured machine stalled several times for up to 50 ms (its path alone took 2.8 ms at p99, against 1.1 elsewhere):"
    " p90 to p99 are 5 to 10 % lower in the model. The admitted requests agree second by second.",
}
"""Cases with a figure outside the noise, and why."""


@dataclass(frozen=True)
class Comparison:
    """The figures of both, and how far each is from the other."""

    kind: str
    """Class of the noise floor."""
    real: Figures
    model: Figures
    deviations: list[Deviation]

    @property
    def outside(self) -> list[Deviation]:
        """Those that are more than noise."""
        return [each for each in self.deviations if not each.is_inside]


def compare(envoy: Path, name: str, change: Callable[[dict[str, Any]], None] | None = None) -> Comparison:
    """Run a case and compare it: what a run of the model comes to is luck too, so each figure is the median of three.

    Args:
        envoy: The folder of the measurements.
        name: Of the case.
        change: Something to change in the scenario, to see that it makes a difference.
    """
    case = Case(name, envoy)
    with TemporaryDirectory() as folder:
        scenario = scenario_of(case, Path(folder))
        if change is not None:
            change(scenario)
        models = [simulated(case, ms.load(scenario).run(seed=seed)) for seed in seeds_of(case, scenario, RUNS)]
    return against(case, models)


def against(case: Case, models: Sequence[Figures]) -> Comparison:
    """The figures of some simulations beside those that were measured."""
    kind, floor = floor_of(case.name)
    real = measured(case)
    if floor.is_any_instance:
        real, *models = (replace(one, shares=tuple(sorted(one.shares))) for one in (real, *models))
    model = median(models)
    return Comparison(kind, real, model, deviations(floor, real, model))
