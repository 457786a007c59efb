"""What became of a queue's messages over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.charts import style
from meshsim.report.charts.panels import Panel, stacked, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NOTHING = "nothing was published"
PANELS = (
    Panel("lag", "messages there: waiting, worked on, or kept away after a failure", "messages in the queue", "number"),
    Panel("oldest_s", "age of the oldest message in s", "seconds of age of the oldest message", "number"),
    Panel("lost_per_s", "messages lost: dropped, rejected, expired or discarded", "lost messages"),
    Panel("dead_lettered_per_s", "messages to the dead letter queue", "messages to the dead letter queue"),
    Panel("redelivered_per_s", "messages delivered again", "messages delivered again"),
    Panel("published_per_s", "messages published", "messages published"),
    Panel("consumed_per_s", "messages consumed", "messages consumed"),
)


@style.styled
def message_queues_over_time(
    queues: pd.DataFrame,
    ax: Axes | None = None,
    *,
    queue: str | None = None,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """Narrow panels: messages there, the age of the oldest, and what becomes of messages; a line a variant.

    Args:
        queues: Frame `queues` of a result or a comparison.
        ax: Its place is divided among the panels; a new figure, as high as they need, by default.
        queue: Which; the one with most to tell by default.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes of the last panel; means over each interval, and of the replications.
    """
    return stacked(lines(queues), ax, PANELS, destination=queue, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def reading(queues: pd.DataFrame, *, queue: str | None = None, faults: pd.DataFrame | None = None, warm_up_s: float = 0.0) -> str:
    """One sentence: the most messages there, the greatest age of the oldest and so on after the warm-up, and when."""
    return told(lines(queues), PANELS, destination=queue, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def lines(queues: pd.DataFrame) -> pd.DataFrame:
    """The rows as `panels` wants them, the queue in `destination`."""
    return queues.assign(destination=queues["queue"].astype(str))
