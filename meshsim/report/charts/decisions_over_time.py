"""What a filter decided over time: how many it let pass, refused, held up, answered itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.metrics.over_time.decisions import COLUMNS
from meshsim.report.charts import style
from meshsim.report.charts.panels import Panel, stacked, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NOTHING = "no filter did anything"
ACTED = tuple(column for column in COLUMNS if column != "admitted_per_s")
PANELS = (
    Panel("limited_per_s", "requests refused: over a limit", "requests over a limit"),
    Panel("delayed_per_s", "requests held up", "delayed requests"),
    Panel(
        "shadowed_per_s", "requests let pass that a rule in shadow mode would refuse", "requests that a shadow rule would refuse"
    ),
    Panel("denied_per_s", "requests refused: bad credentials, or no right", "denied requests"),
    Panel("shed_per_s", "requests shed under load", "shed requests"),
    Panel("failed_open_per_s", "requests let pass unchecked: whom the filter asks did not answer", "requests let pass unchecked"),
    Panel(
        "failed_closed_per_s", "requests refused: whom the filter asks did not answer", "requests refused for want of an answer"
    ),
    Panel("aborted_per_s", "requests aborted by an injected fault", "aborted requests"),
    Panel("hit_per_s", "hits: the filter's cache had the answer", "hits"),
    Panel("coalesced_per_s", "coalesced: waited for the answer to another request", "coalesced requests"),
    Panel("stale_per_s", "stale: the filter's cache had an expired answer, which was used", "stale answers"),
    Panel("miss_per_s", "misses: the filter's cache had no answer", "misses"),
    Panel("admitted_per_s", "requests let pass", "requests let pass", company=ACTED),
)


@style.styled
def decisions_over_time(
    decisions: pd.DataFrame,
    ax: Axes | None = None,
    *,
    filter: str | None = None,  # noqa: A002 — what it is called everywhere else
    by: str | None = None,
    variant: str | None = None,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """A narrow panel for each decision that a filter made, a line a variant; what it never decided has none.

    Args:
        decisions: Frame `decision_rates` of a result or a comparison.
        ax: Its place is divided among the panels; a new figure, as high as they need, by default.
        filter: Which one, such as `gateway: rate_limit`; the one that decided most different things by default.
        by: `rule`, `route` or `consumer`: a line for each of these, of one variant; those with the most requests, the others together.
        variant: Which one, where `by` is given; the first by default.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes of the last panel; all replicas together, rates per second, the mean of the replications.
    """
    rows = lines(decisions, by, variant)
    return stacked(rows, ax, PANELS, destination=filter, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def reading(
    decisions: pd.DataFrame,
    *,
    filter: str | None = None,  # noqa: A002
    by: str | None = None,
    variant: str | None = None,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> str:
    """One sentence: how far each decision went after the warm-up, with whom and when."""
    rows = lines(decisions, by, variant)
    return told(rows, PANELS, destination=filter, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def lines(decisions: pd.DataFrame, by: str | None, variant: str | None) -> pd.DataFrame:
    """The rows that are drawn, as `panels` wants them: whose line in `variant`, and the filter in `destination`."""
    rows = decisions[decisions["by"] == (by or "")].rename(columns={"filter_name": "destination"})
    if by is None:
        return rows
    name = variant if variant is not None else next(iter(rows["variant"]), "")
    return rows[rows["variant"] == name].drop(columns="variant").rename(columns={"name": "variant"})
