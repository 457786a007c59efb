"""Who called whom in the measured window, and the services as the nodes of that graph."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from meshsim.metrics.latency.histogram import Histogram
from meshsim.metrics.rows import groups, is_failed
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.metrics.summary import Summary
    from meshsim.plan import Plan
    from meshsim.records import Chunk

CLIENT, GATEWAY = "(client)", "(gateway)"
_OUTSIDE = {-1: CLIENT, -2: GATEWAY}


@dataclass(slots=True)
class _Edge:
    attempts: int = 0
    failures: int = 0
    latency: Histogram = field(default_factory=Histogram)


class Edges:
    """A sink of requests and attempts: calls by caller and service, of the requests that started in the measured window."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._edges: dict[tuple[int, int], _Edge] = {}
        """By caller and service, as in the records."""
        self._entry = _Edge()
        """From the clients to the gateway."""

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows of requests and attempts."""
        if table == "requests" and self._plan.gateway is not None:
            rows = np.flatnonzero(self._is_measured(chunk["started_ns"]))
            self._add(self._entry, chunk, rows, chunk["started_ns"])
        elif table == "attempts":
            measured = self._is_measured(chunk["request_started_ns"]) & (chunk["service"] >= 0)
            width = len(self._plan.names.services)
            keys = np.where(measured, (chunk["caller"] + 2) * width + chunk["service"], -1)
            for key, rows in groups(keys):
                if key >= 0:
                    edge = self._edges.setdefault((key // width - 2, key % width), _Edge())
                    self._add(edge, chunk, rows, chunk["sent_ns"])

    def table(self, simulated_ns: int) -> dict[str, list[Any]]:
        """One row for each pair that had calls; with a gateway the first is from its clients to it.

        Args:
            simulated_ns: How far the run has come.

        Returns:
            Columns of equal length: caller (a service, `(gateway)` or `(client)`), service (or `(gateway)`), attempts_per_s,
            error_share, latency_p99_s (from sent to the caller's outcome; NaN where none was sent).
        """
        services = self._plan.names.services
        window_ns = max(0, min(self._plan.duration_ns, simulated_ns) - self._plan.warm_up_ns)
        rows = [((CLIENT, GATEWAY), self._entry)] if self._entry.attempts else []
        rows += [
            ((_OUTSIDE.get(caller) or services[caller], services[to]), self._edges[caller, to])
            for caller, to in sorted(self._edges)
        ]
        return {
            "caller": [caller for (caller, _), _ in rows],
            "service": [service for (_, service), _ in rows],
            "attempts_per_s": [edge.attempts * NS_PER_S / window_ns if window_ns else math.nan for _, edge in rows],
            "error_share": [edge.failures / edge.attempts for _, edge in rows],
            "latency_p99_s": [edge.latency.quantile(0.99) / NS_PER_S for _, edge in rows],
        }

    def _is_measured(self, started_ns: np.ndarray) -> np.ndarray:
        measured: np.ndarray = (started_ns >= self._plan.warm_up_ns) & (started_ns < self._plan.duration_ns)
        return measured

    @staticmethod
    def _add(edge: _Edge, chunk: Chunk, rows: np.ndarray, since_ns: np.ndarray) -> None:
        edge.attempts += len(rows)
        edge.failures += int(is_failed(chunk)[rows].sum())
        timed = rows[(since_ns[rows] >= 0) & (chunk["ended_ns"][rows] >= 0)]
        edge.latency.add(chunk["ended_ns"][timed] - since_ns[timed])


def nodes(summary: Summary) -> dict[str, list[Any]]:
    """The services, and the gateway where there is one, in the measured window.

    Returns:
        Columns of equal length: service (or `(gateway)`, first), utilisation (share of the workers that are held), attempts_per_s
        (of the gateway: requests), error_share (of these), retry_amplification (of the gateway: tries for each request that it
        sent on), replicas. NaN where there is nothing to tell.
    """
    rows: list[tuple[str, float | None, float | None, float | None, float | None, int]] = [
        (
            GATEWAY,
            one.utilisation,
            summary.total.offered_per_s,
            summary.total.error_share,
            summary.total.attempts_per_request,
            one.replicas,
        )
        for one in summary.proxies
        if one.name == "gateway"
    ]
    rows += [
        (one.name, one.utilisation, one.attempts_per_s, one.error_share, one.retry_amplification, one.replicas)
        for one in summary.services
    ]
    names = ("service", "utilisation", "attempts_per_s", "error_share", "retry_amplification", "replicas")
    return {name: [math.nan if row[at] is None else row[at] for row in rows] for at, name in enumerate(names)}
