"""One request, try by try, as Jaeger shows a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.patches import Patch, Rectangle

from meshsim.flags import MEANINGS
from meshsim.report.charts import style
from meshsim.report.charts.quantities import amount
from meshsim.report.charts.stages import FILLS, REST, hatched, legend_under, meant, sample, width_points
from meshsim.report.charts.words import figure_of, listed, say_nothing, shortened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_ROWS = 60
FAILED_COLOUR = "#D55E00"
_ROW_IN, _AROUND_IN = 0.2, 0.6
_BAR = 0.7
_LONGEST_NAME, _DEEPEST = 36, 7
_ROOT = -1
_INDENT = "\N{NO-BREAK SPACE}" * 2


@style.styled
def waterfall(spans: pd.DataFrame, ax: Axes | None = None, *, variant: str | None = None) -> Axes:
    """One request: a row for each try, from its start to its end, coloured by what the time went to.

    Args:
        spans: Frame `spans`: variant, replication, request, span, parent, depth, service, operation, attempt, stage, from_s, until_s
            (since the start of the request), status, flags; a row for each stage of a try.
        ax: Where to draw; None makes a figure that grows with the rows.
        variant: Whose request; None for the first. Of several requests the first is drawn.

    Returns:
        The axes: x in seconds since the start, a row for each try in the order of `span`, 60 at most: the longest.
    """
    segments = one_request(spans, variant)
    if segments.empty:
        return say_nothing(style.axes(ax, height=0.6))
    tries = tries_of(segments)
    shown = tries.loc[tries["taken_s"].nlargest(MOST_ROWS, keep="first").index.sort_values()]
    present = segments["stage"].unique()
    stages = [name for name in FILLS if name in present] + [name for name in present if name not in FILLS]
    flags = [flag for flag in MEANINGS if flag in {one for text in shown["failure"] for one in text.split(",")}]
    is_waiting = float((segments["until_s"] - segments["from_s"]).sum()) < float(tries["taken_s"].sum()) * (1 - 1e-9)
    lines = (len(stages) + len(flags) + is_waiting + bool(flags) + 1) / 2 + 1
    ax = style.axes(ax, height=(_AROUND_IN + _ROW_IN * (len(shown) + lines)) / style.HEIGHT_IN)
    row_of = {span: row for row, span in enumerate(shown.index)}
    for span, start, end, stage in segments[["span", "from_s", "until_s", "stage"]].itertuples(index=False):
        if span in row_of and end > start:
            fill = FILLS.get(stage, REST)
            left_top = (start, row_of[span] - _BAR / 2)
            box = Rectangle(left_top, end - start, _BAR, facecolor=fill.colour, linewidth=0)
            ax.add_patch(hatched(box, fill.hatch))
    for row, (start, end, failure) in enumerate(shown[["from_s", "until_s", "failure"]].itertuples(index=False)):
        look = (FAILED_COLOUR, 1.4) if failure else (style.INK, 0.5)
        outline = Rectangle((start, row - _BAR / 2), end - start, _BAR, fill=False, edgecolor=look[0], linewidth=look[1])
        ax.add_patch(outline)
    names = [_name(*row) for row in shown[["depth", "service", "operation", "attempt"]].itertuples(index=False)]
    wide = max(_points(name) for name in names)
    _limit(ax, shown, wide)
    for row, (end, failure) in enumerate(shown[["until_s", "failure"]].itertuples(index=False)):
        if failure:
            text = f"\N{MULTIPLICATION SIGN} {failure}"
            ax.annotate(text, (end, row), (3, 0), textcoords="offset points", va="center", fontweight="bold", color=FAILED_COLOUR)
    ax.set_yticks(range(len(shown)), names, ha="left")
    ax.tick_params(axis="y", length=0, pad=wide + 4)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    hidden = len(tries) - len(shown)
    also = f"\n({hidden} shortest of {len(tries)} left out)" if hidden else ""
    ax.set_xlabel(f"time since the request's start{also}")
    style.duration_axis(ax.xaxis, most=4)
    _explain(ax, stages, flags, wide + 4, is_waiting=is_waiting)
    return ax


def reading(spans: pd.DataFrame, *, variant: str | None = None) -> str:
    """One sentence: how long the request took, in how many tries, which failed, and what took longest."""
    segments = one_request(spans, variant)
    if segments.empty:
        return "One request: nothing was measured."
    tries = tries_of(segments)
    number = f"{len(tries)} {'try' if len(tries) == 1 else 'tries'}"
    took = float(tries.loc[tries["parent"] == _ROOT, "until_s"].max())
    said = [f"request {segments['request'].iloc[0]} took {amount(took, 'duration')} in {number}"]
    failed = tries[tries["failure"] != ""]
    if failed.empty:
        said.append("none failed")
    else:
        reasons = failed["failure"].value_counts(sort=False)
        said.append(f"{len(failed)} failed ({listed([f'{times} with {reason}' for reason, times in reasons.items()])})")
    segments = segments.assign(taken_s=segments["until_s"] - segments["from_s"])
    longest = segments.sort_values("taken_s", kind="stable", ascending=False).iloc[0]
    if longest["taken_s"] > 0:
        stretch = amount(float(longest["taken_s"]), "duration")
        said.append(f"the longest stretch is {stretch} of {meant(longest['stage'])} at {longest['service']}")
    text = "; ".join(said) + "."
    return text[0].upper() + text[1:]


def one_request(spans: pd.DataFrame, variant: str | None) -> pd.DataFrame:
    """The rows of the first request, of a variant or of the first one."""
    mine = spans if variant is None else spans[spans["variant"] == variant]
    if mine.empty:
        return mine
    top = mine.iloc[0]
    same = (mine["variant"] == top["variant"]) & (mine["replication"] == top["replication"]) & (mine["request"] == top["request"])
    found: pd.DataFrame = mine[same]
    return found


def tries_of(segments: pd.DataFrame) -> pd.DataFrame:
    """A row for each try of a request.

    Returns:
        Index `span`; parent, depth, service, operation, attempt, from_s, until_s, taken_s, and failure: its flags, or
        its status where it failed without one, or an empty text.
    """
    order = segments.sort_values("span", kind="stable").groupby("span")
    tries = order[["parent", "depth", "service", "operation", "attempt", "status", "response_flags"]].first()
    tries["operation"] = [
        _own_words(service, operation) for service, operation in zip(tries["service"], tries["operation"].fillna(""), strict=True)
    ]
    tries["from_s"], tries["until_s"] = order["from_s"].min(), order["until_s"].max()
    tries["until_s"] = _ends(tries)
    tries["taken_s"] = tries["until_s"] - tries["from_s"]
    tries["failure"] = [_failure(*row) for row in tries[["status", "response_flags"]].fillna("").itertuples(index=False)]
    return tries


def _ends(tries: pd.DataFrame) -> list[float]:
    """When each try ended; one whose own stages do not reach to the start of a try below it has waited for that one."""
    rows = tries[["parent", "from_s", "until_s"]].itertuples(name=None)
    own = {int(span): (int(parent), float(start), float(end)) for span, parent, start, end in rows}
    ends = {span: end for span, (_, _, end) in own.items()}
    for span in sorted(own, reverse=True):
        parent, start, _ = own[span]
        if parent in own and start >= own[parent][2]:
            ends[parent] = max(ends[parent], ends[span])
    return list(ends.values())


def _failure(status: object, flags: object) -> str:
    if flags not in ("", "-"):
        return str(flags)
    is_error = isinstance(status, int | float) and (status >= 500 or status == 0)
    return f"{status:.0f}" if is_error else ""


def _own_words(service: str, operation: str) -> str:
    """What an operation's name says beyond that of its service: `convert` of `currency/convert`, nothing where they are the same."""
    return "" if operation == service else operation.removeprefix(f"{service}/")


def _name(depth: int, service: str, operation: str, attempt: int) -> str:
    """`payment charge (try 2)`, further to the right the deeper it is: the number from the second try on."""
    indent = min(int(depth), _DEEPEST)
    tail = f" (try {attempt:.0f})" if attempt > 1 else ""
    room = _LONGEST_NAME - 2 * indent - len(tail)
    name = shortened(service.strip("()"), max(12, min(21, room)))
    left = room - len(name) - 1
    return _INDENT * indent + name + (f" {shortened(operation, left)}" if operation and left >= 6 else "") + tail


def _points(text: str) -> float:
    """Width of a text, in points."""
    spaces = len(text) - len(text.lstrip("\N{NO-BREAK SPACE}"))
    return width_points(text.lstrip("\N{NO-BREAK SPACE}")) + 3.1 * spaces


def _limit(ax: Axes, shown: pd.DataFrame, name_points: float) -> None:
    """Make room at the right for the flags of the tries that end there."""
    figure = figure_of(ax)
    free = max(60.0, 72 * figure.get_figwidth() * (ax.get_position().width / 0.775) - name_points - 20)
    ends = shown["until_s"].max()
    for end, failure in shown[["until_s", "failure"]].itertuples(index=False):
        if failure:
            wanted = min(0.5 * free, _points(f"x {failure} ") * 1.15 + 4)
            ends = max(ends, end * free / (free - wanted))
    ax.set_xlim(0, ends if ends > 0 else 1.0)


def _explain(ax: Axes, stages: list[str], flags: list[str], left: float, *, is_waiting: bool) -> None:
    handles = [sample(FILLS.get(name, REST)) for name in stages]
    names = [meant(name) for name in stages]
    if is_waiting:
        handles.append(Patch(fill=False, edgecolor=style.INK, linewidth=0.5))
        names.append("waiting for its calls")
    if flags:
        handles.append(Patch(fill=False, edgecolor=FAILED_COLOUR, linewidth=1.4))
        names.append("failed")
        handles += [Patch(fill=False, linewidth=0) for _ in flags]
        names += [f"{flag}: {MEANINGS[flag]}" for flag in flags]
    legend_under(ax, handles, names, left)
