"""Why requests and attempts failed: tables, and a legend of the flags that occur."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from meshsim.flags import MEANINGS
from meshsim.report.numbers import NOTHING, aligned, percent
from meshsim.report.tables import plain_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from meshsim.metrics.summary import Cause, RequestSummary, ServiceSummary, Summary

MOST_ROWS = 12
GRPC_CODES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
"""By number. Source: gRPC, doc/statuscodes.md."""


def requests(console: Console, routes: Sequence[RequestSummary]) -> tuple[Table, int] | None:
    """A row for each way in which requests of a route failed, the most frequent ones of all.

    Returns:
        The table, and how many requests failed in rarer ways that have no row; None where no request failed.
    """
    ways = sorted(((one, cause) for one in routes for cause in one.causes), key=lambda way: -way[1].count)
    if not ways:
        return None
    kept = ways[:MOST_ROWS]
    kept.sort(key=lambda way: (routes.index(way[0]), -way[1].count))
    counts = [f"{cause.count:,}" for _, cause in kept]
    width = max(len("requests"), *(len(count) for count in counts))
    shares = aligned([cause.count / one.requests for one, cause in kept], 100)
    rows = [
        (one.route or "", count.rjust(width), share.rjust(len("% of route")), seen(cause), cause.flags, *began(cause))
        for (one, cause), count, share in zip(kept, counts, shares, strict=True)
    ]
    headers = ("route", "requests", "% of route", "client saw", "flags", "began at", "as")
    return plain_table(console, headers, rows, frozenset({1, 2})), sum(cause.count for _, cause in ways[MOST_ROWS:])


def attempts(console: Console, services: Sequence[ServiceSummary]) -> Table | None:
    """A row for each service with failed attempts; None where none failed."""
    failing = [one for one in services if one.failures_by_flag]
    if not failing:
        return None
    counts = [f"{sum(one.failures_by_flag.values()):,}" for one in failing]
    width = max(len("attempts"), *(len(count) for count in counts))
    rows = [
        (one.name, count.rjust(width), _by_flag(one.failures_by_flag, one.attempts))
        for one, count in zip(failing, counts, strict=True)
    ]
    return plain_table(console, ("service", "attempts", "of all its attempts, by flags"), rows, frozenset({1}))


def legend(summary: Summary) -> Table:
    """What the flags that occur mean."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for word, meaning in _occurring(summary):
        table.add_row(Text(word, style="dim"), Text(meaning, style="dim"))
    return table


def has_failures(summary: Summary) -> bool:
    """Whether there is anything to explain."""
    return bool(_occurring(summary))


def _occurring(summary: Summary) -> list[tuple[str, str]]:
    texts: set[str] = set()
    for one in summary.routes:
        texts.update(text for cause in one.causes for text in (cause.flags, cause.origin_flags))
    for service in summary.services:
        texts.update(service.failures_by_flag)
    words = {word for text in texts for word in text.split(",")}
    return [(word, meaning) for word, meaning in MEANINGS.items() if word in words]


def seen(cause: Cause) -> str:
    """What the client saw: a status, `gRPC unavailable`, or that it gave up."""
    if cause.status == 0:
        return "gave up"
    if cause.grpc_status:
        code = cause.grpc_status
        return f"gRPC {GRPC_CODES[code].lower()}" if code < len(GRPC_CODES) else f"gRPC {code}"
    return str(cause.status)


def began(cause: Cause) -> tuple[str, str]:
    """Where it began, and with what flags."""
    if cause.origin is not None:
        return cause.origin, cause.origin_flags
    if cause.origin_flags == NOTHING:
        return NOTHING, NOTHING
    return "client" if "DC" in cause.origin_flags.split(",") else "gateway", cause.origin_flags


def _by_flag(failures: dict[str, int], attempts: int) -> str:
    """`UT 3.80 %  UO 0.31 %`, the most frequent first."""
    ordered: Iterable[tuple[str, int]] = sorted(failures.items(), key=lambda pair: (-pair[1], pair[0]))
    return "  ".join(f"{flags} {percent(number / attempts)}" for flags, number in ordered)
