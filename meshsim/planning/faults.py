"""Faults: which replicas each of them strikes, and what it does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshsim.plan import NONE, Breakdowns, Effect, Failing, Fault
from meshsim.planning.errors import grpc_status, latency_of, table
from meshsim.planning.places import place_zones, places_of
from meshsim.randomness import stream
from meshsim.scenario.sections.faults import GATEWAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshsim.planning.errors import Tables
    from meshsim.planning.index import Index
    from meshsim.scenario.sections.errors import ErrorsSection
    from meshsim.scenario.sections.faults import FaultSection
    from meshsim.scenario.sections.model import Scenario


class _Places(NamedTuple):
    """Where a fault may strike."""

    zones: Sequence[int]
    subsets: Sequence[int] = ()


def plan_faults(scenario: Scenario, index: Index, tables: Tables) -> tuple[tuple[Fault, ...], tuple[Breakdowns, ...]]:
    """One row for each fault and each service that it strikes, and one for the gateway: those by a timetable, and those by chance."""
    rows = list(_rows(scenario, index, tables))
    sections = scenario.faults
    by_chance = tuple(_breakdowns(sections[row.number], row, index) for row in rows if sections[row.number].mtbf is not None)
    return tuple(row for row in rows if sections[row.number].mtbf is None), by_chance


def _breakdowns(section: FaultSection, fault: Fault, index: Index) -> Breakdowns:
    assert section.mtbf is not None  # noqa: S101 — whoever calls has looked
    assert section.mttr is not None  # noqa: S101 — the section has looked
    name = GATEWAY if fault.service == NONE else index.names.services[fault.service]
    return Breakdowns(
        fault,
        time_to_failure=section.mtbf.chosen.build(),
        time_to_repair=section.mttr.chosen.build(),
        stream=stream(name),
        is_together=section.together,
    )


def _rows(scenario: Scenario, index: Index, tables: Tables) -> Iterator[Fault]:
    everywhere = {name: _Places(*places_of(scenario.services[name], index)[:2]) for name in index.names.services}
    if scenario.gateway is not None and "gateway" in scenario.deployment:
        everywhere[GATEWAY] = _Places(place_zones(scenario.gateway, index))
    for number, fault in enumerate(scenario.faults):
        effect, amount = _effect(fault)
        for name, places in everywhere.items():
            struck = _struck(fault, places, index) if fault.strikes(name) else ()
            if not struck or (name == GATEWAY and effect is Effect.ERRORS):
                continue
            failing = None
            if effect is Effect.ERRORS:
                assert fault.errors is not None  # noqa: S101 — that is its effect
                failing = failing_of(fault.errors, number, tables, is_grpc=scenario.services[name].protocol == "grpc")
            cache = NONE if fault.flush is None else sorted(scenario.services[name].caches).index(fault.flush)
            yield Fault(
                from_ns=fault.begins_ns,
                until_ns=fault.ends_ns(scenario.run.duration),
                service=index.services.get(name, NONE),
                instances=struck,
                effect=effect,
                amount=amount,
                failing=failing,
                number=number,
                cache=cache,
            )


def effects_on_gateway(scenario: Scenario, index: Index, zones: Sequence[int]) -> set[Effect]:
    """What faults do to replicas of the gateway, which are in these zones."""
    places = _Places(zones)
    return {_effect(fault)[0] for fault in scenario.faults if fault.strikes(GATEWAY) and _struck(fault, places, index)}


def _struck(fault: FaultSection, places: _Places, index: Index) -> tuple[int, ...]:
    wanted = None if fault.subset is None else index.subsets[fault.subset]
    chosen = [
        place
        for place, zone in enumerate(places.zones)
        if (fault.zone is None or zone == index.zones.get(fault.zone))
        and (wanted is None or places.subsets[place] == wanted)
        and (fault.instances is None or place in fault.instances)
    ]
    return tuple(chosen if fault.replicas is None else chosen[: fault.replicas])


def _effect(fault: FaultSection) -> tuple[Effect, float]:
    """What a fault does, and how much."""
    if fault.crash:
        return Effect.CRASH, 1.0
    if fault.unreachable:
        return Effect.UNREACHABLE, 1.0
    if fault.flush is not None:
        return Effect.FLUSH, 1.0
    return (Effect.ERRORS, 1.0) if fault.slow is None else (Effect.SLOW, float(fault.slow))


def failing_of(errors: ErrorsSection, number: int, tables: Tables, *, is_grpc: bool) -> Failing:
    """How requests fail because of what has such errors, by its number."""
    return Failing(
        number=number,
        rate=float(errors.rate or 0.0),
        table=None if errors.replay is None else table(errors.replay, "ns", tables),
        status=NONE if is_grpc or errors.status is None else errors.status,
        grpc_status=grpc_status(errors.grpc_status) if is_grpc and errors.grpc_status else NONE,
        retry_after_ns=NONE if errors.retry_after is None else errors.retry_after,
        latency=latency_of(errors),
    )
