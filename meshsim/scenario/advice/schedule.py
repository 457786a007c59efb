"""Loads and faults against the length of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.scenario.advice.remark import Kind, Remark, time
from meshsim.scenario.flow import demand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow
    from meshsim.scenario.sections.faults import FaultSection


def loads(flow: Flow) -> Iterator[Remark]:
    """A load that begins after the run, ends well before it or is cut off by its end."""
    run_ns = demand.run_ns(flow.scenario)
    if not run_ns:
        return
    for name, load in flow.scenario.load.items():
        begin_ns, end_ns = demand.span_ns(load, run_ns)
        path = ("load", name)
        staged = bool(getattr(load, "stages", None))
        if begin_ns >= run_ns:
            yield Remark(
                Kind.LOAD_BEGINS_AFTER_THE_RUN,
                (*path, "start"),
                f"{name} begins at {time(begin_ns)}, and the run ends at {time(run_ns)}; begin earlier",
            )
        elif end_ns > run_ns and staged:
            yield Remark(
                Kind.STAGES_END_AFTER_THE_RUN,
                (*path, "stages"),
                f"the stages end at {time(end_ns)}, and the run at {time(run_ns)}: what is left is never reached;"
                f" write run.duration: {time(end_ns)}",
            )
        elif end_ns > run_ns:
            yield Remark(
                Kind.LOAD_ENDS_AFTER_THE_RUN,
                (*path, "duration"),
                f"{name} ends at {time(end_ns)}, and the run at {time(run_ns)}, which cuts it off",
            )
        elif end_ns < run_ns and staged:
            yield Remark(
                Kind.STAGES_END_BEFORE_THE_RUN,
                (*path, "stages"),
                f"the stages end at {time(end_ns)}, and the run at {time(run_ns)}: {time(run_ns - end_ns)} without this"
                f" load; add a stage, or write run.duration: {time(end_ns)}",
            )


def faults(flow: Flow) -> Iterator[Remark]:
    """A fault that the run does not see, or not to its end."""
    run_ns = demand.run_ns(flow.scenario)
    if not run_ns:
        return
    for index, fault in enumerate(flow.scenario.faults or ()):
        begin_ns, end_ns = demand.fault_span_ns(fault, run_ns)
        if begin_ns >= run_ns:
            yield Remark(
                Kind.FAULT_COMES_AFTER_THE_RUN,
                ("faults", index, "at"),
                f"the fault comes at {time(begin_ns)}, and the run ends at {time(run_ns)}; it never happens",
            )
        elif fault.mtbf is not None and (expected := _expected(fault, min(end_ns, run_ns) - begin_ns)) < 1:
            yield Remark(
                Kind.FAULT_RARELY_COMES,
                ("faults", index, "mtbf"),
                f"on average {expected:.2g} of these faults come in the run for each replica that may fail, so many replications see none;"
                " write a shorter mtbf, or a longer run",
            )
        elif fault.mtbf is None and end_ns > run_ns > end_ns - begin_ns:  # one as long as the run is meant to last
            yield Remark(
                Kind.FAULT_ENDS_AFTER_THE_RUN,
                ("faults", index, "for"),
                f"the fault ends at {time(end_ns)}, and the run at {time(run_ns)}: the recovery is not seen;"
                f" write run.duration: {time(end_ns + run_ns // 4)} or so",
            )


def _expected(fault: FaultSection, span_ns: int) -> float:
    """How often it comes in a time that is short compared to the time between two."""
    assert fault.mtbf is not None  # noqa: S101 — whoever calls has looked
    between_ns: float = fault.mtbf.chosen.build().mean_ns
    return span_ns / between_ns


CHECKS = (loads, faults)
