"""What policies did over a run: the ones on the way to a destination, and filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class DestinationSummary:
    """What one kind of caller did towards one destination, over the whole run."""

    caller: str
    """A service, `(gateway)`, `(client)`, or `(waypoint)` for the waypoint of the service."""
    service: str
    subset: str | None
    proxies: int
    """How many of the callers there are: each decides by what it has seen itself."""
    spread: float | None
    """Attempts at the instance that got most, as a multiple of the mean; 1 is even."""
    in_zone_share: float | None
    """Share of the attempts that stayed in the caller's zone; None where that is not told."""
    least_healthy_share: float
    """The least share of the instances that callers thought healthy at the end of an interval."""
    counts: dict[str, int]
    """What was counted, by the columns of `meshsim.records.ACTIVITY`; those that are 0 are left out."""
    pool_wait_mean_s: float = 0.0
    """Mean wait for a connection, of all tries and of the waits that led to none."""


@dataclass(frozen=True, slots=True)
class FilterSummary:
    """What one filter of one kind of proxy decided, over the whole run and all its replicas."""

    place: str
    """Where it stands, such as `gateway` and `sidecar of payment`."""
    filter: str
    """Its YAML name."""
    number: int
    """Its place among the proxy's filters, from 0."""
    counts: dict[str, int]
    """Requests by decision: `meshsim.policies.filters.Decision` in lower case; those that are 0 are left out."""
    fairness: float | None
    """Jain's index of the shares of their requests that consumers got past it, 1 for all alike; None with fewer than two consumers."""

    def label(self, all_of_them: Iterable[FilterSummary]) -> str:
        """Such as `gateway: rate_limit`, with its number where there are several of its name."""
        same = sum((one.place, one.filter) == (self.place, self.filter) for one in all_of_them)
        return f"{self.place}: {self.filter}" + (f" ({self.number + 1})" if same > 1 else "")
