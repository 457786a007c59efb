"""Loads that do not say how their requests are spaced: a note for `meshsim check`, once a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.scenario.advice.remark import Kind, Remark
from meshsim.scenario.sections.loads import OpenLoad

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.sections.model import Scenario


def remarks(scenario: Scenario) -> Iterator[Remark]:
    """At the first open load that does not say which arrivals it means, with the names of the others."""
    silent = [
        name for name, load in scenario.load.items() if isinstance(load, OpenLoad) and "arrivals" not in load.model_fields_set
    ]
    if silent:
        also = f" (nor in {', '.join(silent[1:])})" if len(silent) > 1 else ""
        yield Remark(
            Kind.ARRIVALS_NOT_SAID,
            ("load", silent[0], "executor"),
            f"no `arrivals`{also}, so requests are evenly spaced, as in k6. Independent users arrive in bunches and wait longer: write"
            " `arrivals: poisson` for them, or `arrivals: even` to keep this",
        )
