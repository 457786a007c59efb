"""The connections of a caller to one destination over time: how many, their handshakes, who waits for one, and stale picks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.charts import style
from meshsim.report.charts.panels import Panel, stacked, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NOTHING = "no connection was opened or closed"
PANELS = (
    Panel("pending", "requests that wait for a connection", "requests that wait for a connection", "number"),
    Panel("pool_waits_per_s", "requests that begin to wait for a connection", "new waits for a connection"),
    Panel("connection_overflows_per_s", "requests that a limit on connections makes wait", "waits at the limit"),
    Panel("stale_picks_per_s", "picks of an instance that is gone, unknown to the caller", "stale picks"),
    Panel("connect_failures_per_s", "connections refused by an instance", "refused connections"),
    Panel("connect_timeouts_per_s", "connections that time out while they are made", "connections that time out"),
    Panel("connections", "open connections", "open connections", "number", company=("opened_per_s", "closed_per_s")),
    Panel("opened_per_s", "connections opened", "newly opened connections"),
    Panel("closed_per_s", "connections closed", "closed connections"),
    Panel("handshakes_per_s", "TLS handshakes, resumed ones included", "TLS handshakes"),
    Panel("resumed_per_s", "TLS handshakes that resume a session", "resumed handshakes"),
    Panel("cross_zone_per_s", "tries sent to another zone", "tries to another zone"),
    Panel("cross_zone_bytes_per_s", "bytes between zones", "bytes between zones"),
)


@style.styled
def connections_over_time(
    policies: pd.DataFrame,
    ax: Axes | None = None,
    *,
    destination: str | None = None,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """A narrow panel for each thing that happened to the connections to a destination, a line a variant.

    Args:
        policies: Frame `policies` of a result or a comparison.
        ax: Its place is divided among the panels; a new figure, as high as they need, by default.
        destination: From whom to whom, such as `(gateway) to payment`; the one where most happened by default.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes of the last panel; all callers of a kind together, rates per second, the mean of the replications.
    """
    return stacked(policies, ax, PANELS, destination=destination, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def reading(
    policies: pd.DataFrame, *, destination: str | None = None, faults: pd.DataFrame | None = None, warm_up_s: float = 0.0
) -> str:
    """One sentence: how far each thing went after the warm-up, with which variant and when."""
    return told(policies, PANELS, destination=destination, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)
