"""Least reported load: the least of a few endpoints by what they said of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from meshsim.policies.load_balancing.balancer import Draw, Endpoint, LoadBalancer, LoadBalancerState
from meshsim.registry import policy
from meshsim.units import Duration, PositiveCount

if TYPE_CHECKING:
    from collections.abc import Sequence


@policy
class LeastReportedLoad(LoadBalancer):
    """Send to the endpoint that reported the fewest requests among a few drawn at random.

    A report tells of all callers' requests, which no proxy sees by itself, but it is old. Looking at all endpoints then is worse than
    chance: until the next report everybody goes to the one that was least loaded (the herd). Two or three choices keep most of
    the gain. Draws are with replacement: as many as there are endpoints see 1 - (1 - 1/n)^n of them, 65 % of ten, and are no full
    scan; several times as many nearly are.

    Source: Mitzenmacher, "How useful is old information?", IEEE TPDS 11(1), 2000 (his bulletin board is `report_phase: common`).
    """

    reads_reports = True

    report_interval: Duration = 100_000_000
    """How often endpoints report; 0 for a report with every answer."""
    report_phase: Literal["endpoint", "proxy", "common"] = "endpoint"
    """Which reports come together: with `endpoint` none, as each endpoint sends its own when it likes (ORCA); with `proxy` those of all
    endpoints to one proxy, which asks them all at once (a poller); with `common` all of them, as from a board that everybody reads. Only with a
    `report_interval`."""
    choice_count: PositiveCount = 2
    """Endpoints drawn for each request, with replacement: some more than once, so that ten draws of ten endpoints see 6.5 of them and
    thirty see 9.6."""

    def build(self, **_: object) -> LeastReportedLoadState:
        """Nothing to begin with."""
        return LeastReportedLoadState(self)


class LeastReportedLoadState(LoadBalancerState):
    """It remembers nothing: endpoints carry what they have reported."""

    __slots__ = ("choice_count",)

    def __init__(self, settings: LeastReportedLoad) -> None:
        """Nothing has happened."""
        self.choice_count = settings.choice_count

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw, now_ns: int, hash_key: int) -> int:  # noqa: ARG002
        """Position of the least loaded of the endpoints drawn."""
        best = draw.below(len(endpoints))
        for _ in range(self.choice_count - 1):
            other = draw.below(len(endpoints))
            if endpoints[other].reported_in_flight < endpoints[best].reported_in_flight:
                best = other
        return best
