"""Rows for what `check` says of rollouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warned_scenarios import Row, back, both, clients, gateway, longest, to_back

from meshsim.scenario.advice.remark import Kind

if TYPE_CHECKING:
    from meshsim.experiments.result import Result


def rolled(at: str = "500ms", **settings: Any) -> dict[str, Any]:
    return back(replicas=4, startup_time="500ms", rollouts=[{"at": at}], **settings)


def one_more(**settings: Any) -> dict[str, Any]:
    """A pod beyond the replicas, and none missing."""
    return {"strategy": {"rolling_update": {"max_surge": 1, "max_unavailable": 0}}, **settings}


def ends(result: Result) -> bool:
    return all(one.duration_s is not None for one in result.summary().rollouts)


def does_not_end(result: Result) -> bool:
    return not ends(result)


BUSY = both(
    to_back(load_balancer={"least_request": {"choice_count": 8}}),
    back(workers=1, script=[{"compute": "50ms"}]),
    clients(rate="70/s", arrivals="even"),
)
"""3.5 busy workers of four."""

ROWS = (
    Row(Kind.ROLLOUT_UNFINISHED, gateway(**rolled("2500ms", **one_more())), does_not_end, gateway(**rolled(**one_more())), ends),
    Row(
        Kind.ROLLOUT_UNFINISHED,
        gateway(**back(replicas=4, startup_time="500ms", min_ready="300ms", rollouts=[{"at": "1s"}, {"at": "2500ms"}])),
        does_not_end,
        gateway(**back(replicas=4, startup_time="500ms", rollouts=[{"at": "1s"}, {"at": "2500ms"}])),
        ends,
    ),
    Row(Kind.ROLLOUT_LEAVES_TOO_FEW, gateway(**both(BUSY, rolled())), longest(0.15), gateway(**both(BUSY, rolled(**one_more()))), longest(0, 0.11)),
    Row(
        Kind.NOTHING_ROLLS_OUT,
        gateway(**back(strategy={"type": "Recreate"}, min_ready="1s")),
        lambda result: not result.summary().rollouts,
        gateway(**rolled(strategy={"type": "Recreate"}, min_ready="1s")),
        lambda result: len(result.summary().rollouts) == 1,
    ),
)  # fmt: skip
