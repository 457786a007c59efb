"""Whom filters ask: services of the scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import Ask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshsim.planning.index import Index
    from meshsim.policies.filters import Filter


def asked_services(filters: Iterable[Filter]) -> dict[int, str]:
    """The service, or `service/operation`, that each filter asks, by the filter's number; filters that ask nobody are not there."""
    services = {number: getattr(one, "service", None) for number, one in enumerate(filters)}
    return {number: service for number, service in services.items() if service}


def plan_asks(filters: tuple[Filter, ...], index: Index) -> tuple[Ask, ...]:
    """Whom each filter asks, and for how long at most."""
    return tuple(
        Ask(number, index.operations[service], getattr(filters[number], "timeout", 0))
        for number, service in asked_services(filters).items()
    )
