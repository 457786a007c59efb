"""The tables of a run, for a terminal of any width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.box import Box
from rich.table import Table
from rich.text import Text

from meshsim.report.numbers import aligned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from meshsim.metrics.policies.proxy_summary import ProxySummary
    from meshsim.metrics.policies.summaries import DestinationSummary, FilterSummary
    from meshsim.metrics.summary import RequestSummary, ServiceSummary
    from meshsim.metrics.thresholds import Verdict

WIDE = 120
"""From this many columns on there is room for more figures."""
ROOMY = 96
"""From this many columns on columns stand further apart."""
BUSY_PROXY = 0.5
"""From this utilisation of its busiest replica on a sidecar is worth a row."""

RULE = Box("    \n    \n ── \n    \n    \n    \n    \n    \n")
ASCII_RULE = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


@dataclass(frozen=True, slots=True)
class Figure:
    """A column of numbers: what stands above it, and when a number deserves a colour."""

    header: str
    values: Sequence[float | None]
    scale: float = 1.0
    decimals: int = 2
    style: Callable[[float], str] | None = None


def is_plain(console: Console) -> bool:
    """Whether it can show ASCII only."""
    return console.is_dumb_terminal or console.options.ascii_only


def routes(console: Console, label: str, requests: Sequence[RequestSummary], total: RequestSummary | None) -> Table:
    """A row for each route or load, and one for all of them.

    Args:
        console: Where it will be shown.
        label: What the rows are: `route` or `load`.
        requests: The rows.
        total: The last row; None for none.
    """
    rows = [*requests, *([total] if total is not None else [])]
    names = [(one.source if label == "load" else one.route) or "all" for one in rows]
    return figures_table(
        console,
        label,
        names,
        [
            Figure("requests\n/s", [one.offered_per_s for one in rows]),
            Figure("goodput\n/s", [one.goodput_per_s for one in rows]),
            Figure("latency\np50 ms", [one.latency.p50_s for one in rows], 1000),
            Figure("\np90 ms", [one.latency.p90_s for one in rows], 1000),
            Figure("\np99 ms", [one.latency.p99_s for one in rows], 1000),
            Figure("\np99.9 ms", [one.latency.p999_s for one in rows], 1000),
            Figure("errors\n%", [one.error_share for one in rows], 100, style=_error_style),
        ],
        has_total=total is not None,
    )


def services(console: Console, rows: Sequence[ServiceSummary]) -> Table:
    """A row for each service."""
    is_wide = console.width >= WIDE
    figures = [
        Figure("replicas\nx workers", [None for one in rows]),
        Figure("attempts\n/s", [one.attempts_per_s for one in rows]),
        Figure("response\np50 ms", [one.response_time.p50_s for one in rows], 1000),
        Figure("\np99 ms", [one.response_time.p99_s for one in rows], 1000),
        Figure("waiting\nmean ms", [one.waiting_time.mean_s for one in rows], 1000),
        Figure("busy\n%", [one.utilisation for one in rows], 100, 0, busy_style),
        Figure("busiest\n%", [one.utilisation_of_busiest for one in rows], 100, 0, busy_style),
        Figure("queue\nmean", [one.queue_mean for one in rows], decimals=1),
        Figure("longest\nqueue", [one.queue_peak for one in rows], decimals=0),
        Figure("tries\n/call", [one.retry_amplification for one in rows], style=_retry_style),
        Figure("wasted\n%", [one.wasted_share for one in rows], 100, 1),
        Figure("errors\n%", [one.error_share for one in rows], 100, style=_error_style),
    ]
    extra = {"busiest\n%", "longest\nqueue", "replicas\nx workers"}
    shown = [figure for figure in figures if is_wide or figure.header not in extra]
    sizes = [f"{one.replicas} x {one.servers}" for one in rows]
    return figures_table(console, "service", [one.name for one in rows], shown, texts={"replicas\nx workers": sizes})


def proxies(console: Console, rows: Sequence[ProxySummary]) -> Table | None:
    """A row for the gateway and for each kind of sidecar that is busy; None where none of them takes time."""
    shown = [
        one for one in rows if one.utilisation and (one.name == "gateway" or (one.utilisation_of_busiest or 0) >= BUSY_PROXY)
    ]
    if not shown:
        return None
    return figures_table(
        console,
        "proxy",
        [one.name for one in shown],
        [
            Figure("replicas\nx workers", [None for one in shown]),
            Figure("busy\n%", [one.utilisation for one in shown], 100, 0, busy_style),
            Figure("busiest\n%", [one.utilisation_of_busiest for one in shown], 100, 0, busy_style),
            Figure("queue\nmean", [one.queue_mean for one in shown], decimals=1),
            Figure("longest\nqueue", [one.queue_peak for one in shown], decimals=0),
        ],
        texts={"replicas\nx workers": [f"{one.replicas} x {one.workers}" for one in shown]},
    )


ACTED = {
    "timeouts": "timed\nout",
    "retries": "tries\nagain",
    "retries_refused": "tries\nrefused",
    "hedges": "hedges",
    "ejections": "ejected",
    "panic_picks": "panic\npicks",
    "no_host": "no\nhost",
    "endpoint_waits": "waited\nfor one",
    "failfasts": "failed\nfast",
    "stale_picks": "stale\npicks",
    "sessions_moved": "sessions\nmoved",
    "breaker_rejected": "breaker\nopen",
    "throttled": "throttled",
    "limited": "over\nlimit",
    "mirrored": "mirrored",
    "pool_waits": "pool\nwaits",
    "connection_overflows": "pool\nfull",
    "opened": "connec-\ntions",
    "handshakes": "hand-\nshakes",
    "connect_failures": "connect\nrefused",
    "connect_timeouts": "connect\ntimeouts",
}
"""Headers of what is counted of a caller's traffic to a destination; only those that anything happened to are shown."""


def destinations(console: Console, rows: Sequence[DestinationSummary]) -> Table | None:
    """A row for each caller and destination whose policies did anything; None where none did."""
    shown = [one for one in rows if any(name in one.counts for name in ACTED)]
    used = [name for name in ACTED if any(name in one.counts for one in shown)]
    if not used:
        return None
    figures = [
        Figure(ACTED[name], [None if name not in one.counts else float(one.counts[name]) for one in shown], decimals=0)
        for name in used
    ]
    if any(one.pool_wait_mean_s for one in shown):
        figures.append(Figure("pool wait\nmean ms", [one.pool_wait_mean_s for one in shown], 1000))
    figures.append(Figure("busiest\n/mean", [one.spread for one in shown], decimals=2))
    if any(one.in_zone_share is not None for one in shown):
        figures.append(Figure("in zone\n%", [one.in_zone_share for one in shown], 100, 0))
    return figures_table(console, "from, to", [one.label for one in shown], figures)


DECISIONS = {
    "admitted": "let\npass",
    "delayed": "delayed",
    "limited": "limited",
    "shadowed": "would be\nlimited",
    "denied": "denied",
    "hit": "hits",
    "miss": "misses",
    "stale": "stale\nanswers",
    "coalesced": "waited for\nanother",
    "failed_open": "failed\nopen",
    "failed_closed": "failed\nclosed",
    "shed": "shed",
    "aborted": "aborted",
}
"""Headers of what filters decide; only those that happened are shown."""


def filters(console: Console, rows: Sequence[FilterSummary]) -> Table | None:
    """A row for each filter: what it decided; None where there are none."""
    used = [name for name in DECISIONS if any(name in one.counts for one in rows)]
    if not used:
        return None
    figures = [
        Figure(DECISIONS[name], [None if name not in one.counts else float(one.counts[name]) for one in rows], decimals=0)
        for name in used
    ]
    if any(one.fairness is not None for one in rows):
        figures.append(Figure("fairness\n0 to 1", [one.fairness for one in rows], decimals=2))
    return figures_table(console, "filter", [one.label(rows) for one in rows], figures)


def thresholds(console: Console, verdicts: Sequence[Verdict]) -> Table:
    """A row for each condition: held or crossed, and what was observed."""
    held, crossed = ("ok", "FAIL") if is_plain(console) else ("✓", "✗")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for verdict in verdicts:
        style = "green" if verdict.passed else "bold red"
        mark = Text(held if verdict.passed else crossed, style=style)
        table.add_row(mark, Text(verdict.metric), Text(verdict.condition), Text(verdict.observed_text, style=style))
    return table


def plain_table(console: Console, headers: Sequence[str], rows: Sequence[Sequence[str]], numbers: frozenset[int]) -> Table:
    """A table of text; the columns of `numbers` are padded already and keep together."""
    table = _empty(console)
    for index, header in enumerate(headers):
        is_number = index in numbers
        table.add_column(Text(header, justify="right" if is_number else "left"), no_wrap=is_number, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def to_width(header: str, cells: list[str]) -> tuple[str, list[str]]:
    """Header and cells of a column of numbers, ending in one line."""
    width = max(len(line) for line in (*header.split("\n"), *cells))
    return "\n".join(line.rjust(width) for line in header.split("\n")), [cell.rjust(width) for cell in cells]


def figures_table(
    console: Console,
    label: str,
    names: Sequence[str],
    figures: Sequence[Figure],
    *,
    has_total: bool = False,
    texts: dict[str, list[str]] | None = None,
) -> Table:
    """A row for each name, with numbers, or texts in place of some by the header of their column."""
    table = _empty(console)
    table.add_column(f"\n{label}", overflow="fold", min_width=8)
    columns: list[list[Text]] = []
    for figure in figures:
        cells = (texts or {}).get(figure.header) or aligned(figure.values, figure.scale, figure.decimals)
        header, cells = to_width(figure.header, cells)
        table.add_column(Text(header), no_wrap=True, overflow="ellipsis", min_width=max(map(len, header.split("\n"))))
        columns.append([Text(cell, _style(figure, value)) for cell, value in zip(cells, figure.values, strict=True)])
    for index, name in enumerate(names):
        is_last = index == len(names) - 1
        table.add_row(Text(name), *(cells[index] for cells in columns), style="bold" if has_total and is_last else "")
    return table


def _empty(console: Console) -> Table:
    box = ASCII_RULE if is_plain(console) else RULE
    gap = 1 if console.width >= ROOMY else 0  # and the one that stands between columns anyhow
    return Table(box=box, padding=(0, gap, 0, 0), pad_edge=False, show_edge=False, header_style="dim")


def _style(figure: Figure, value: float | None) -> str:
    return figure.style(value) if figure.style is not None and value is not None else ""


def _error_style(share: float) -> str:
    return "red" if share >= 0.01 else "yellow" if share > 0 else ""


def busy_style(share: float) -> str:
    """The colour of a utilisation."""
    return "red" if share >= 0.95 else "yellow" if share >= 0.8 else ""


def _retry_style(factor: float) -> str:
    return "red" if factor >= 1.5 else "yellow" if factor >= 1.1 else ""
