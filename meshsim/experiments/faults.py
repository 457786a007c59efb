"""When faults were, for whoever shades them in charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from meshsim.plan.fault_times import drawn
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshsim.experiments.run import Experiment


def faults(experiments: Mapping[str, Experiment], manifest: Mapping[str, Any]) -> pd.DataFrame:
    """What goes wrong when: variant, from_s, until_s, label.

    Faults by chance are among them where there is one replication: in each they come at other times.

    Args:
        experiments: By variant.
        manifest: Of the comparison, or of the run.
    """
    of_one = None if manifest["replications"] > 1 else (int(manifest["seed"]), int(manifest.get("replication", 0)))
    rows = [(name, *row) for name, experiment in experiments.items() for row in _faults(experiment, of_one)]
    return pd.DataFrame(rows, columns=["variant", "from_s", "until_s", "label"])


def _faults(experiment: Experiment, of_one: tuple[int, int] | None) -> Iterator[tuple[float, float, str]]:
    sections, run_ns = experiment.scenario.faults, experiment.scenario.run.duration
    for fault in sections:
        if fault.mtbf is None:
            yield fault.begins_ns / NS_PER_S, fault.ends_ns(run_ns) / NS_PER_S, fault.words
    if of_one is not None:
        came = drawn(experiment.plan, *of_one).faults
        spans = {(one.number, one.from_ns, one.until_ns): None for one in came if sections[one.number].mtbf is not None}
        for number, from_ns, until_ns in spans:
            yield from_ns / NS_PER_S, until_ns / NS_PER_S, f"{sections[number].words} by chance"
