"""What became of the connections of a service's pool over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.charts import style
from meshsim.report.charts.panels import Panel, stacked, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NOTHING = "nobody asked a connection pool for anything"
PANELS = (
    Panel("in_use", "connections held, over all replicas", "connections held", "number"),
    Panel("waiting", "requests that wait for one, over all replicas", "waiting requests", "number"),
    Panel("timed_out_per_s", "requests that waited in vain", "requests that waited in vain"),
)


@style.styled
def connection_pools_over_time(
    pools: pd.DataFrame,
    ax: Axes | None = None,
    *,
    pool: str | None = None,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """Narrow panels: connections held, requests that wait for one, and those that waited in vain; a line a variant.

    Args:
        pools: Frame `connection_pools` of a result or a comparison.
        ax: Its place is divided among the panels; a new figure, as high as they need, by default.
        pool: Which, such as `shop: orders`; the one with most to tell by default.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes of the last panel; means over each interval, and of the replications.
    """
    return stacked(lines(pools), ax, PANELS, destination=pool, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def reading(pools: pd.DataFrame, *, pool: str | None = None, faults: pd.DataFrame | None = None, warm_up_s: float = 0.0) -> str:
    """One sentence: the most connections held, requests waiting and requests that waited in vain after the warm-up, and when."""
    return told(lines(pools), PANELS, destination=pool, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def lines(pools: pd.DataFrame) -> pd.DataFrame:
    """The rows as `panels` wants them, service and pool in `destination`."""
    return pools.assign(destination=pools["service"].astype(str) + ": " + pools["connection_pool"].astype(str))
