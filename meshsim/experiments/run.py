"""Run a scenario: from a file to a result.

import meshsim as ms
result = ms.load("scenarios/online-boutique.yaml", variant="as-is").run()
result.summary()        # the figures
result.requests         # pandas, one row per client request
"""

from __future__ import annotations

import platform
import shutil
import signal
import tempfile
import threading
import weakref
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshsim.engines import reference
from meshsim.errors import ScenarioError
from meshsim.experiments.arrow import as_parquet
from meshsim.experiments.observer import Observer
from meshsim.experiments.places import FORMAT, MANIFEST, RESULTS, SCENARIO, SUMMARY
from meshsim.experiments.portrait import scenario_as_html
from meshsim.experiments.result import Result
from meshsim.experiments.run_directory import RunDirectory, TableWriter
from meshsim.experiments.watch import Watch, available_bytes
from meshsim.metrics.thresholds import judge
from meshsim.plan.fault_times import drawn
from meshsim.planning import make_plan
from meshsim.planning.needs import refusals
from meshsim.scenario import load as scenario_file
from meshsim.scenario.advice import advice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from meshsim.engines.reference import Progress
    from meshsim.plan import Plan
    from meshsim.records import Sink
    from meshsim.scenario.load import LoadedScenario
    from meshsim.scenario.sections.model import Scenario

ENGINE = "reference"


def load(
    scenario: str | Path | Mapping[str, Any],
    *,
    variant: str | None = None,
    set: Sequence[str] = (),  # noqa: A002 — the word of the command line
    duration: str | None = None,
) -> Experiment:
    """A scenario, checked and ready to run.

    Args:
        scenario: Path of a file, or its content as a mapping.
        variant: Name of one of its `variants:`, or None for the scenario as it stands.
        set: Settings to change, each as `path=value`, such as `"mesh.traffic.payment.retries.num_retries=0"`.
        duration: Length of the run, such as `"2m"`; the same as `run.duration=2m` among `set`.

    Raises:
        ScenarioError: With every mistake in the file and its place; or a run of it takes more than can be had (`run.limits`).
    """
    changes = [*set, *([f"run.duration={duration}"] if duration else [])]
    return Experiment(scenario_file.load(scenario, variant=variant, set=changes))


@dataclass(frozen=True, repr=False)
class Experiment:
    """One variant of a scenario, ready to run."""

    loaded: LoadedScenario
    plan: Plan = field(init=False, repr=False)

    def __post_init__(self) -> None:
        plan = make_plan(self.loaded.scenario)
        if self.loaded.scenario.run.limits and (too_much := refusals(plan, available_bytes())):
            raise ScenarioError([self.loaded.places.mistake(one.path, one.message) for one in too_much])
        object.__setattr__(self, "plan", plan)

    @property
    def scenario(self) -> Scenario:
        """The scenario, with the variant and all changes applied."""
        return self.loaded.scenario

    @property
    def variant(self) -> str:
        """Name of the variant; `base` where none was chosen."""
        return self.loaded.variant or "base"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What `meshsim check` says of this variant: one sentence each, with its place in the file."""
        return tuple(str(warning) for warning in advice(self.loaded.scenario, self.loaded.places))

    def __repr__(self) -> str:
        return f"<Experiment {self.scenario.name}, variant {self.variant}>"

    def _repr_html_(self) -> str:
        """The scenario in a notebook's cell: what it is made of."""
        return scenario_as_html(self.loaded)

    def directory(self, seed: int | None = None, replication: int = 0) -> Path:
        """Where the results of such a run go by default: the same run always to the same place."""
        seed = self.scenario.run.seed if seed is None else seed
        last = f"seed-{seed}" + (f"-replication-{replication}" if replication else "") + f"-{self.loaded.digest[:8]}"
        return RESULTS / self.scenario.name / self.variant / last

    def run(
        self,
        *,
        seed: int | None = None,
        replication: int = 0,
        out: str | Path | None = None,
        records: float | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Result:
        """Simulate, and keep what came of it.

        Args:
            seed: Root of all draws; the scenario's own where None.
            replication: Number of the replication: another world with the same seed.
            out: The run directory to write; None keeps the records in a temporary one that goes when the result does.
            records: Share of the requests whose records are kept, 0 to 1; the scenario's own where None. The summary is the
                same whatever is kept.
            progress: Called now and then with how far the run has come.

        Returns:
            The result; `interrupted` is set where Ctrl-C ended the run early, or its limits did (`why_ended`).

        Raises:
            ReplayError: A file of measurements has no number for an attempt.
            ResultError: There is no place for the run directory, or something in it that is not meshsim's.
            OSError: It cannot be written to the end, as on a full disk; then nothing of the run is left.
            ValueError: `records` is no share.
        """
        seed = self.scenario.run.seed if seed is None else seed
        share = self.scenario.run.kept_share if records is None else records
        if not 0 <= share <= 1:
            raise ValueError(f"records is a share from 0 to 1, not {records}")
        temporary = Path(tempfile.mkdtemp(prefix="meshsim-")) if out is None else None
        directory = RunDirectory(temporary / "run" if temporary is not None else Path(out or "."))
        try:
            writer = TableWriter(directory.workplace, self.plan.names, share)
            observer = Observer(drawn(self.plan, seed, replication))
            end, why_ended = self._simulate(seed, replication, (writer, *observer.sinks), progress)
            writer.close()
            summary = observer.summary(end.now_ns)
            for name, columns in observer.tables(summary, end.now_ns).items():
                directory.write_bytes(f"{name}.parquet", as_parquet(columns))
            verdicts = judge(self.scenario.thresholds, summary)
            manifest = self._manifest(seed, replication, share, end, why_ended)
            directory.write_json(SUMMARY, {**summary.to_dict(), "thresholds": [verdict.to_dict() for verdict in verdicts]})
            directory.write_json(MANIFEST, manifest)
            directory.write_text(SCENARIO, self.loaded.text)
            kept = directory.publish(is_whole=end.is_over)
        except BaseException:
            directory.discard()
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
            raise
        result = Result(kept, manifest, summary, tuple(verdicts))
        if temporary is not None:
            weakref.finalize(result, shutil.rmtree, temporary, ignore_errors=True)
        return result

    def _simulate(
        self, seed: int, replication: int, sinks: tuple[Sink, ...], progress: Callable[[Progress], None] | None
    ) -> tuple[Progress, str]:
        """How far the run came, and why it was ended there by its limits; empty where it was not."""
        watch = Watch(self.plan, available_bytes()) if self.scenario.run.limits else None
        why_ended = ""
        with _stop_on_interrupt() as stopped:

            def on_progress(now: Progress) -> bool:
                nonlocal why_ended
                if progress is not None:
                    progress(now)
                if watch is not None:
                    why_ended = watch.why_end(now)
                return not stopped and not why_ended

            end = reference.run(self.plan, seed, replication, sinks, on_progress)
        return end, "" if end.is_over else why_ended

    def _manifest(self, seed: int, replication: int, share: float, end: Progress, why_ended: str) -> dict[str, Any]:
        """All that is needed to repeat the run."""
        libraries = ("meshsim", "simpy", "numpy", "pyarrow", "pydantic")
        return {
            "format": FORMAT,
            "scenario": self.scenario.name,
            "variant": self.variant,
            "set": list(self.loaded.changes),
            "file": self.loaded.file,
            "digest": self.loaded.digest,
            "data_files": dict(self.loaded.data_files),
            "seed": seed,
            "replication": replication,
            "records_share": share,
            "engine": ENGINE,
            "is_whole": end.is_over,
            **({"why_ended": why_ended} if why_ended else {}),
            "simulated_s": end.now_ns / 1e9,
            "duration_s": self.plan.duration_ns / 1e9,
            "warm_up_s": self.plan.warm_up_ns / 1e9,
            "requests": end.requests,
            "events": end.events,
            "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in libraries}},
            "repeat": f'meshsim.load("{SCENARIO}").run(seed={seed}, replication={replication}, records={share!r})',
        }


@contextmanager
def _stop_on_interrupt() -> Iterator[list[int]]:
    """A list that is not empty once Ctrl-C was pressed; pressed again, it interrupts as ever."""
    stopped: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(number: int, _: object) -> None:
        stopped.append(number)
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
