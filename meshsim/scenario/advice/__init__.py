"""Warnings for `meshsim check`: what is legal in a scenario, and probably not meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.scenario.advice import (
    caches,
    capacity,
    checked,
    connection_pools,
    ejecting,
    endless,
    faulty,
    hashing,
    leaving,
    message_queues,
    patience,
    pools,
    prices,
    queueing,
    reach,
    retrying,
    rolling,
    schedule,
    sharing,
    unfinished,
    waiting,
    without_effect,
)
from meshsim.scenario.flow.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.errors import Mistake
    from meshsim.scenario.advice.remark import Remark
    from meshsim.scenario.load import Places
    from meshsim.scenario.sections.model import Scenario

CHECKS = (
    *capacity.CHECKS,
    *patience.CHECKS,
    *pools.CHECKS,
    *retrying.CHECKS,
    *endless.CHECKS,
    *ejecting.CHECKS,
    *faulty.CHECKS,
    *checked.CHECKS,
    *hashing.CHECKS,
    *leaving.CHECKS,
    *reach.CHECKS,
    *schedule.CHECKS,
    *sharing.CHECKS,
    *unfinished.CHECKS,
    *queueing.CHECKS,
    *prices.CHECKS,
    *connection_pools.CHECKS,
    *message_queues.CHECKS,
    *caches.CHECKS,
    *waiting.CHECKS,
    *rolling.CHECKS,
    *without_effect.CHECKS,
)


def advice(scenario: Scenario, places: Places) -> list[Mistake]:
    """What is legal but surprising, in the order of the file.

    Args:
        scenario: One variant, validated.
        places: Where its settings stand.

    Returns:
        Warnings, each a sentence with the numbers and a remedy.
    """
    return sorted(dict.fromkeys(places.mistake(remark.path, remark.message) for remark in remarks(scenario)))


def remarks(scenario: Scenario) -> Iterator[Remark]:
    """All that the checks say of a variant, one check after the other."""
    flow = Flow(scenario)
    for check in CHECKS:
        yield from check(flow)
