"""What the autoscaler of a service did over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.charts import style
from meshsim.report.charts.panels import Panel, stacked, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NOTHING = "no autoscaler looked at anything"
PANELS = (
    Panel("wanted", "replicas wanted", "replicas wanted", "number"),
    Panel("ready", "of them, ready at the last look", "ready replicas", "number"),
    Panel("of_target", "the metric that asks for most (1: at its target)", "figures as a multiple of the metric's target", "number"),
)  # fmt: skip


@style.styled
def autoscaling_over_time(
    scaling: pd.DataFrame,
    ax: Axes | None = None,
    *,
    service: str | None = None,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """Narrow panels: replicas wanted, replicas ready, and the metric that asks for most against its target; a line a variant.

    Args:
        scaling: Frame `scaling` of a result or a comparison.
        ax: Its place is divided among the panels; a new figure, as high as they need, by default.
        service: Whose replicas; the first with an autoscaler by default.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes of the last panel; as the last look before the end of each interval had it, the mean of the replications.
    """
    rows = lines(scaling)
    return stacked(rows, ax, PANELS, destination=service, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def reading(
    scaling: pd.DataFrame, *, service: str | None = None, faults: pd.DataFrame | None = None, warm_up_s: float = 0.0
) -> str:
    """One sentence: the most replicas wanted and ready after the warm-up, and how far above its target the metric was, and when."""
    return told(lines(scaling), PANELS, destination=service, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def lines(scaling: pd.DataFrame) -> pd.DataFrame:
    """The rows as `panels` wants them, the service in `destination`."""
    return scaling.rename(columns={"service": "destination"})
