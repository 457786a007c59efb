"""The charts of what policies did over time: towards each destination what happened, its connections and its balance."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from meshsim.report.charts import balance_over_time, connections_over_time, policies_over_time
from meshsim.report.charts.panels import happened
from meshsim.report.page.drawings import Drawing, Group, draw
from meshsim.report.page.wording import plural

if TYPE_CHECKING:
    import pandas as pd

    from meshsim.report.page.subject import Subject

MOST_SHOWN, MOST_WAYS = 2, 6
"""Destinations in the open, and those that are drawn at all: the ones where most happened."""
UNEVEN = 1.25
"""What the busiest instance gets, by the mean of all, from which on the balance has a chart: chance alone makes a little."""


def policies_group(subject: Subject) -> Group:
    """Up to three charts for each destination towards which anything happened; none where nothing did."""
    ways = _ways(subject)
    made = [_drawings(subject, at, name, modules) for at, (name, modules) in enumerate(list(ways.items())[:MOST_WAYS])]
    shown = [one for drawings in made[:MOST_SHOWN] for one in drawings]
    more = [one for drawings in made[MOST_SHOWN:] for one in drawings]
    intro = (
        f"{subject.intro}All callers of a kind together, towards the destinations where most happened; only what happened in some "
        "variant has a panel."
    )
    left = len(ways) - MOST_WAYS
    if left > 0:
        intro += f" {plural(left, 'further destination')} where less happened: in the table “What policies did” alone."
    return Group("policies", "What policies did over time", intro, shown, more, "Further destinations")


def _ways(subject: Subject) -> dict[str, list[Any]]:
    """The destinations with the charts that each deserves: first the ones with most panels, then by how often anything happened."""
    found: dict[str, list[Any]] = {}
    weights: dict[str, tuple[int, float]] = {}
    names = [*subject.policies["destination"].unique(), *subject.balance["destination"].unique()]
    for name in dict.fromkeys(str(one) for one in names):
        rows, spread = (frame[frame["destination"] == name] for frame in (subject.policies, subject.balance))
        acted = happened(rows, policies_over_time.PANELS)
        moved = happened(rows[rows["time_s"] >= subject.warm_up_s], connections_over_time.PANELS)
        reasons = ((policies_over_time, acted), (connections_over_time, moved), (balance_over_time, _is_uneven(spread)))
        if modules := [module for module, reason in reasons if reason]:
            found[name] = modules
            rates = [panel.column for panel in (*acted, *moved) if panel.quantity == "rate"]
            weights[name] = -len(acted) - len(moved), -float(rows[rates].to_numpy(dtype=float).sum())
    return {name: found[name] for name in sorted(found, key=weights.__getitem__)}


def _is_uneven(balance: pd.DataFrame) -> bool:
    """Whether some instance has nothing to do for a while, zones matter, or one gets clearly more than the others in the mean."""
    if balance.empty:
        return False
    most = balance.groupby("variant", sort=False)["spread"].mean().max()
    return bool((balance["used_share"] < 1).any() or balance["in_zone_share"].notna().any() or most > UNEVEN)


def _drawings(subject: Subject, at: int, destination: str, modules: list[Any]) -> list[Drawing]:
    made = []
    titles = {policies_over_time: "policies", connections_over_time: "connections", balance_over_time: "balance of the instances"}
    for module in modules:
        frame = subject.balance if module is balance_over_time else subject.policies
        of: dict[str, Any] = {"destination": destination, "faults": subject.faults, "warm_up_s": subject.warm_up_s}
        name = module.__name__.rpartition(".")[2]
        said = module.reading(frame, **of)
        key = f"policies-{at}-{name.partition('_')[0]}"
        made.append(draw(key, f"{destination}: {titles[module]}", partial(getattr(module, name), frame, **of), said))
    return made
