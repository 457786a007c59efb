"""Which defaults of meshsim itself fill in for what a scenario left out; they depend on no product."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.scenario.defaults import resolve
from meshsim.scenario.documentation import fields
from meshsim.scenario.documentation.explain import default_field
from meshsim.scenario.documentation.fields import KEYS, STEPS_INSIDE, Field
from meshsim.scenario.sections import errors, faults, loads, scripts, services
from meshsim.scenario.sections.traffic import (
    BackOffSection,
    CircuitBreakersSection,
    RetriesSection,
    RetryBudgetSection,
    TrafficSection,
)
from meshsim.scenario.sections.types import Choice, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.sections.model import Scenario

OF_PRODUCTS = (TrafficSection, RetriesSection, BackOffSection, RetryBudgetSection, CircuitBreakersSection, Choice)
"""What `product_defaults` and the policies themselves answer for."""
SILENT = {
    "name", "description", "defaults", "deployment", "variants", "matrix", "thresholds", "faults", "gateway", "mesh", "filters",
    "routes", "traffic", "inbound", "operations", "script", "zone", "zones", "consumer", "column", "unit", "replay", "until",
    "proxy_time", "records", "interval", "replications", "slow", "crash", "load_balancing_weights", "seed", "rate",
}  # fmt: skip
"""Absent, they change no figure, or stand for nothing at all."""
Known = dict[tuple[type, tuple[str, ...]], Field]
"""Every field by its section and path."""
_ABSENT = re.compile(r"([^.;:,]+) where absent")


class OwnDefault(NamedTuple):
    """One default of meshsim's own, used at one place."""

    field: str
    """Path, with `<service>` and the like for names."""
    meaning: str
    value: str
    place: str
    """The load, service or the like that it belongs to; empty for the whole scenario."""


def own_defaults(scenario: Scenario) -> Iterator[OwnDefault]:
    """Every field that was left out and has a meaning all the same, in the order of the model."""
    known = {(one.owner, one.path): one for one in fields.fields()}
    order: dict[str, int] = {}
    for _, path in known:
        order.setdefault(".".join(path), len(order))
    yield from sorted(_walk(scenario, (), (), known, scenario), key=lambda one: order[one.field])


def _walk(
    section: Section, path: tuple[str, ...], names: tuple[str, ...], known: Known, scenario: Scenario
) -> Iterator[OwnDefault]:
    for name, info in type(section).model_fields.items():
        key = info.alias or name
        here = (*path, key)
        value = getattr(section, name)
        if name in section.model_fields_set or isinstance(value, Section):
            # What a step inside of another leaves out stands for the same as where it stands alone, which is what `fields` has.
            is_inner = key in STEPS_INSIDE and "script" in path
            yield from _inside(value, path if is_inner else here, names, known, scenario)
        elif key not in SILENT and not _is_a_products(here, scenario) and _matters(section, key, names, scenario):
            field = known[type(section), here]
            absent = field.default or _where_absent(field.doc)
            yield OwnDefault(".".join(here), field.doc.split("\n", maxsplit=1)[0], absent, names[0] if names else "")


def _inside(value: Any, path: tuple[str, ...], names: tuple[str, ...], known: Known, scenario: Scenario) -> Iterator[OwnDefault]:
    if isinstance(value, OF_PRODUCTS):
        return
    if isinstance(value, Section):
        yield from _walk(value, path, names, known, scenario)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _inside(inner, (*path, KEYS.get(path[-1], "<name>")), (*names, str(name)), known, scenario)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _inside(inner, path, names, known, scenario)


def _is_a_products(path: tuple[str, ...], scenario: Scenario) -> bool:
    """Whether the product says what the absent field means, which `product_defaults` tells of."""
    found = default_field(path)
    return found is not None and found[1] and found[0] in resolve(scenario.defaults).fields


def _matters(section: Section, key: str, names: tuple[str, ...], scenario: Scenario) -> bool:
    """Whether the absent field has a meaning here: a gRPC status has none for HTTP, and so on."""
    if isinstance(section, scripts.CallStep | services.OperationSection):
        return isinstance(section, scripts.CallStep) and key not in {"probability", "optional", "repeat"}
    if isinstance(section, errors.ErrorsSection):
        concerned = [scenario.services[name] for name in names[:1] or scenario.services if name in scenario.services]
        return key in {"grpc_status" if one.protocol == "grpc" else "status" for one in concerned}
    if isinstance(section, faults.FaultSection):
        return key in {"subset", "replicas", "instances"} or (section.mtbf is not None and key in {"at", "for", "together"})
    if key == "autoscaler":
        return any(service.autoscaling is not None for service in scenario.services.values())
    if key == "cross_zone":
        placed = (*scenario.load.values(), scenario.gateway, *scenario.services.values())
        return any(getattr(one, name, None) for one in placed for name in ("zone", "zones"))
    return not (isinstance(section, loads.LoadSection) and key == "start")


def _where_absent(doc: str) -> str:
    """What a field's documentation says of its absence; `none` where it says nothing."""
    found = _ABSENT.search(" ".join(doc.split()))
    return found[1].strip().removeprefix("None").strip("`").lower() or "none" if found else "none"
