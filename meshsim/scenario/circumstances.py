"""Who calls a destination, and what is written for it: what a product's defaults may hang on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from meshsim.scenario.sections.types import Choice, PolicySection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshsim.scenario.sections.routes import RouteSection
    from meshsim.scenario.sections.traffic import TrafficSection

    Block: TypeAlias = TrafficSection | RouteSection

EVERY_DESTINATION = "*"
"""The entry of `traffic:` that holds for all destinations which do not say otherwise."""
OF_A_ROUTE = ("timeout", "retries", "mirror", "split")
"""Settings that make Istio's VirtualService, beside those of a DestinationRule."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends the calls to a destination."""

    kind: Literal["gateway", "sidecar", "waypoint", "none"] = "none"
    """`none` for clients and services without a proxy."""
    destinations: int = 1
    """Of the route that leads there."""


class Circumstances:
    """The blocks that say something of a destination, the first of them first; and how conditions of defaults read them."""

    def __init__(self, blocks: Sequence[Block], caller: Caller) -> None:
        self._blocks = blocks
        self._caller = caller

    def first(self, field: str) -> Any:
        """What is written for a field; None for nothing."""
        return next((value for block in self._blocks if (value := getattr(block, field, None)) is not None), None)

    def block_with(self, setting: str) -> int | None:
        """Number of the block that says something of a setting; None where none does, and for a fact."""
        field = setting.partition(".")[0]
        return next((number for number, block in enumerate(self._blocks) if getattr(block, field, None) is not None), None)

    def __call__(self, setting: str) -> str | None:
        """What is written of a setting (a path) or known of a fact, as text; None for nothing, and where `none` is written."""
        match setting:
            case "caller":
                return self._caller.kind
            case "destinations":
                return "several" if self._caller.destinations > 1 or self.first("split") is not None else "one"
            case "route":
                is_written = self._caller.kind == "gateway" or any(self.first(field) is not None for field in OF_A_ROUTE)
                return "written" if is_written else "default"
        value: Any = None
        for depth, name in enumerate(setting.split(".")):
            if isinstance(value, PolicySection):
                value = getattr(value, name) if name in value.model_fields_set else None
            else:
                value = self.first(name) if not depth else getattr(value, name, None)
        return None if value is None or value == "none" else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, Choice):
        return str(value.chosen.name)
    return str(value).lower() if isinstance(value, bool) else str(value)


def circumstances(
    entries: Mapping[str, TrafficSection], destination: str, caller: Caller, route: RouteSection | None = None
) -> Circumstances:
    """Of the calls to a destination: the route's own settings over the destination's entry over the one for all."""
    named = [entries[key] for key in (destination, EVERY_DESTINATION) if key in entries]
    return Circumstances([*([] if route is None else [route]), *named], caller)
