"""Figures of what came after faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.metrics.no_figure import Never, NoFigure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.metrics.over_time.recovery import Recovery
    from meshsim.metrics.summary import Summary


def recovery_time(summary: Summary, labels: Mapping[str, str], _: str) -> float:
    """The longest over all faults."""
    found = _after_faults(summary, labels)
    if any(one.is_never for one in found):
        raise Never("never")
    known = [one.recovery_s for one in found if one.recovery_s is not None]
    if not known:
        raise NoFigure(found[0].unknown)
    return max(known)


def requests_lost(summary: Summary, labels: Mapping[str, str], _: str) -> float:
    """Over all faults."""
    return float(sum(one.lost for one in _after_faults(summary, labels)))


def outlived(summary: Summary, labels: Mapping[str, str], _: str) -> float:
    """How many faults' bad state outlived them."""
    told = [one.outlives for one in _after_faults(summary, labels) if one.outlives is not None]
    if not told:
        raise NoFigure("no fault after which it can be told")
    return float(sum(told))


def _after_faults(summary: Summary, labels: Mapping[str, str]) -> list[Recovery]:
    found = [one for one in summary.recoveries if one.route == labels.get("route")]
    if not found:
        raise NoFigure("no fault" if not summary.recoveries else "no requests")
    return found
