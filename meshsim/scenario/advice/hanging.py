"""Defaults that hold because another setting is written: notes for `meshsim check`, which nobody need mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshsim.scenario import effective
from meshsim.scenario.advice.destinations import destinations
from meshsim.scenario.advice.remark import Kind, Remark
from meshsim.scenario.circumstances import EVERY_DESTINATION, circumstances
from meshsim.scenario.defaults import resolve
from meshsim.scenario.flow.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.circumstances import Circumstances
    from meshsim.scenario.defaults import Default, Product
    from meshsim.scenario.defaults.cases import Case
    from meshsim.scenario.flow.reading import Path
    from meshsim.scenario.sections.model import Scenario

OF_A_ROUTE = ("traffic.retries", "traffic.cluster_per")
"""What a gateway's route decides, and not the destination that it leads to."""


class _Place(NamedTuple):
    """Where something is written that defaults may hang on."""

    written: Circumstances
    product: Product
    blocks: tuple[Path, ...]
    """Paths of the blocks, the first of them first."""
    is_route: bool
    otherwise: Path
    """What to point at where no setting brings a default, but who calls."""


def remarks(scenario: Scenario) -> Iterator[Remark]:
    """Each default that another setting brings with it, at that setting."""
    for place in _places(Flow(scenario)):
        yield from _of_place(place, has_zones=_has_zones(scenario))


def _has_zones(scenario: Scenario) -> bool:
    """Whether zones can make a difference: whether there are several."""
    placed = [*scenario.services.values(), *([] if scenario.gateway is None else [scenario.gateway])]
    zones = {zone for one in placed for zone in one.zones or {one.zone or "": 1}}
    return len(zones | {load.zone or "" for load in scenario.load.values()}) > 1


def _places(flow: Flow) -> Iterator[_Place]:
    for one in destinations(flow):
        written = circumstances(one.entries, one.service, one.caller)
        blocks = tuple((one.section, "traffic", key) for key in (one.service, EVERY_DESTINATION) if key in one.entries)
        is_waypoint = one.caller.kind == "waypoint"
        otherwise = ("mesh", "waypoints", "services", one.service) if is_waypoint else (one.section,)
        yield _Place(written, one.product, blocks, is_route=False, otherwise=otherwise)
    gateway = flow.scenario.gateway
    if flow.has_gateway and gateway is not None:
        for name, route in gateway.routes.items():
            first, path = effective.first_destination(route), ("gateway", "routes", name)
            named = tuple(("gateway", "traffic", key) for key in (first, EVERY_DESTINATION) if key in gateway.traffic)
            written = circumstances(gateway.traffic, first, effective.caller_of_route(route), route)
            yield _Place(written, resolve(flow.scenario.defaults), (path, *named), is_route=True, otherwise=path)


def _of_place(place: _Place, *, has_zones: bool) -> Iterator[Remark]:
    for field, default in place.product.fields.items():
        belongs = place.is_route == field.startswith(OF_A_ROUTE) or place.otherwise[0] != "gateway"
        if not default.cases or not belongs or (field == "traffic.locality" and not has_zones):
            continue
        here = default.under(place.written)
        name = field.removeprefix("traffic.")
        if here.because and _acts(here, default, place.written(name)):
            case = next(case for case in default.cases if case.because(place.written))
            also = "also " if here.how == "adds" else ""
            value = ", ".join(map(str, here.added)) if here.how == "adds" else here.text
            value += " whatever is written" if here.how == "replaces" else ""
            yield Remark(
                Kind.DEFAULT_HANGS_ON_A_SETTING,
                _where(case, place),
                f"{name}: {also}{value}, because {here.because} ({place.product.name})",
            )


def _acts(here: Default, default: Default, written: str | None) -> bool:
    """Whether it changes anything: it fills in what is absent, or changes what is written."""
    if here.how == "adds":
        return not all(one in str(written) for one in here.added) and (written is not None or here.text != default.text)
    return written is not None if here.how == "replaces" else written is None and here.text != default.text


def _where(case: Case, place: _Place) -> Path:
    """The first setting that brings the default with it."""
    for condition in case.conditions:
        for setting in condition.settings:
            number = place.written.block_with(setting)
            if number is not None and place.written(setting) is not None:
                return (*place.blocks[number], *setting.split("."))
    return place.otherwise
