"""What came of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshsim.errors import ResultError
from meshsim.experiments.places import SUMMARY, read_manifest
from meshsim.experiments.plotting import plots_of
from meshsim.metrics.summary import Summary
from meshsim.metrics.thresholds import Verdict

if TYPE_CHECKING:
    import pandas as pd

_QUANTILES = ("p50_s", "p90_s", "p99_s", "p999_s")
ROUTE_COLUMNS = [
    "offered_per_s",
    "goodput_per_s",
    *(f"latency_{name}" for name in _QUANTILES),
    "error_share",
    "attempts_per_request",
]
SERVICE_COLUMNS = [
    "attempts_per_s", "response_time_p50_s", "response_time_p99_s", "waiting_time_mean_s", "utilisation", "queue_mean",
    "retry_amplification", "wasted_share", "error_share",
]  # fmt: skip
"""What a notebook's cell shows of the summary; the frames have all of it."""


@dataclass(frozen=True)
class Result:
    """A run's summary, verdicts and records.

    The records are read from the run directory when they are asked for.
    """

    directory: Path
    manifest: dict[str, Any]
    _summary: Summary
    verdicts: tuple[Verdict, ...]
    """One for each threshold of the scenario."""

    @property
    def events(self) -> int:
        """Events that the engine processed."""
        return int(self.manifest["events"])

    @property
    def interrupted(self) -> bool:
        """Whether the run was ended early; all figures are then of the part that was simulated."""
        return not self.manifest["is_whole"]

    @property
    def why_ended(self) -> str:
        """Why the run was ended early by its own limits (`run.limits`); empty where it was not."""
        return str(self.manifest.get("why_ended", ""))

    @property
    def passed(self) -> bool:
        """Whether every threshold holds."""
        return all(verdict.passed for verdict in self.verdicts)

    def summary(self) -> Summary:
        """The figures: by route, service, load and proxy, of the requests that started after the warm-up."""
        return self._summary

    @cached_property
    def requests(self) -> pd.DataFrame:
        """One row for each client request that was kept: columns as `meshsim.records.REQUESTS`, times in ns, and `latency_s`."""
        frame = self._table("requests")
        frame["latency_s"] = (frame["ended_ns"] - frame["started_ns"]) / 1e9
        return frame.sort_values("request", ignore_index=True)

    @cached_property
    def attempts(self) -> pd.DataFrame:
        """One row for each attempt at a service of the requests that were kept: columns as `meshsim.records.ATTEMPTS`, in ns."""
        return self._table("attempts").sort_values("id", ignore_index=True)

    @cached_property
    def waits(self) -> pd.DataFrame:
        """One row for each wait that led to no attempt: columns as `meshsim.records.WAITS`, in ns."""
        return self._table("waits")

    @cached_property
    def counters(self) -> pd.DataFrame:
        """One row for each instance and interval: columns as `meshsim.records.COUNTERS`."""
        return self._table("counters")

    @cached_property
    def proxies(self) -> pd.DataFrame:
        """One row for each proxy and interval: columns as `meshsim.records.PROXIES`."""
        return self._table("proxies")

    @cached_property
    def destinations(self) -> pd.DataFrame:
        """One row for each caller, destination and interval: columns as `meshsim.records.DESTINATIONS`."""
        return self._table("destinations")

    @cached_property
    def filters(self) -> pd.DataFrame:
        """One row for each filter of each proxy and interval: columns as `meshsim.records.FILTERS`."""
        return self._table("filters")

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """What filters decided, by route and consumer, in each interval: columns as `meshsim.records.DECISIONS`, named, not numbered."""
        return self._table("decisions")

    @cached_property
    def autoscaling(self) -> pd.DataFrame:
        """One row for each look of an autoscaler, with what it decided and why: columns as `meshsim.records.AUTOSCALING`."""
        return self._table("autoscaling")

    @cached_property
    def connection_pools(self) -> pd.DataFrame:
        """One row for each connection pool of each instance and interval: columns as `meshsim.records.CONNECTION_POOLS`."""
        return self._table("connection_pools")

    @cached_property
    def message_queues(self) -> pd.DataFrame:
        """One row for each message queue and interval; columns as `meshsim.records.MESSAGE_QUEUES`."""
        return self._table("message_queues")

    @cached_property
    def messages(self) -> pd.DataFrame:
        """One row for each message in each message queue; columns as `meshsim.records.MESSAGES`."""
        return self._table("messages")

    @cached_property
    def cpu(self) -> pd.DataFrame:
        """One row for each instance of a service with `cpu`, and interval: columns as `meshsim.records.CPU`."""
        return self._table("cpu")

    @cached_property
    def deployments(self) -> pd.DataFrame:
        """One row for each change of the pods of a service with `rollouts`: columns as `meshsim.records.DEPLOYMENTS`."""
        return self._table("deployments")

    @cached_property
    def caches(self) -> pd.DataFrame:
        """One row for each cache of each instance and interval: columns as `meshsim.records.CACHES`."""
        return self._table("caches")

    def _table(self, name: str) -> pd.DataFrame:
        import pandas as pd  # noqa: PLC0415 — pandas loads only where a frame is asked for

        path = self.directory / f"{name}.parquet"
        if not path.is_file():
            raise ResultError(f"{self.directory} holds no {name}: the run kept no records (run.records)")
        return pd.read_parquet(path)

    @property
    def plot(self) -> Any:
        """Charts: `result.plot.latency()`; see `meshsim.report.plots.Plots`."""
        return plots_of(self)

    def __repr__(self) -> str:
        state = " (interrupted)" if self.interrupted else ""
        held = sum(verdict.passed for verdict in self.verdicts)
        return (
            f"<Result of {self.manifest['scenario']}, variant {self.manifest['variant']}, seed {self.manifest['seed']}{state}: "
            f"{self.manifest['requests']:,} requests, {held} of {len(self.verdicts)} thresholds hold>"
        )

    def _repr_html_(self) -> str:
        """The result in a notebook's cell: what was run, the thresholds, and the tables by route and by service."""
        judged = "".join(
            f"<li>{'✓' if verdict.passed else '✗'} <code>{escape(verdict.text)}</code>: {escape(verdict.observed_text)}</li>"
            for verdict in self.verdicts
        )
        routes = self._summary.routes_frame()[ROUTE_COLUMNS]
        services = self._summary.services_frame()[SERVICE_COLUMNS]
        return (
            f"<p><b>{escape(self.manifest['scenario'])}</b>, variant {escape(self.manifest['variant'])}, seed {self.manifest['seed']}, "
            f"{self.manifest['requests']:,} requests in {self.manifest['simulated_s']:,.0f} s simulated"
            f"{', <b>interrupted</b>' if self.interrupted else ''}</p>"
            f"<ul style='list-style:none;padding-left:0'>{judged}</ul>"
            f"{routes.to_html(float_format='{:.4g}'.format)}{services.to_html(float_format='{:.4g}'.format)}"
        )


def open_result(directory: str | Path) -> Result:
    """A result that was written before.

    Args:
        directory: A run directory.

    Raises:
        ResultError: It is none, or cannot be read.
    """
    directory = Path(directory)
    manifest = read_manifest(directory)
    try:
        summary = json.loads((directory / SUMMARY).read_text(encoding="utf-8"))
        verdicts = tuple(Verdict.from_dict(verdict) for verdict in summary.pop("thresholds"))
        return Result(directory, manifest, Summary.from_dict(summary), verdicts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{directory} is no run directory of meshsim ({error})") from None
