"""Defaults that hang on another setting: the cases of a field, and what must be written for each to hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    Written = Callable[[str], str | None]
    """What a scenario says of a setting or a fact, as text; None where it says nothing."""

How = Literal["default", "adds", "replaces"]
"""Fills in what is absent; is added to a list that is written too; or holds whatever is written."""
FACTS = {
    "caller: gateway": "the gateway sends it",
    "caller: sidecar": "a sidecar sends it",
    "caller: waypoint": "a waypoint sends it",
    "destinations: one": "the route has one destination",
    "destinations: several": "the route has several destinations",
    "route: default": "no route is written for it (no timeout, retries, mirror or split)",
    "route: written": "a route is written for it (timeout, retries, mirror or split)",
}
"""What conditions ask for beside settings, in words."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One of some settings must be written; where values are named, with one of them."""

    settings: tuple[str, ...]
    """Paths in the block of a destination, such as `outlier_detection`, or the name of a fact."""
    values: tuple[str, ...]
    """Empty for any value."""

    @classmethod
    def read(cls, text: str) -> Condition:
        """From the words of a file: `outlier_detection`, `load_balancer: ring_hash or maglev`."""
        settings, _, values = text.partition(": ")
        return cls(tuple(settings.split(" or ")), tuple(values.split(" or ")) if values else ())

    @property
    def text(self) -> str:
        """For people: `outlier_detection is set`, `load_balancer is ring_hash or maglev`."""
        settings, values = " or ".join(self.settings), " or ".join(self.values)
        return FACTS.get(f"{settings}: {values}") or (f"{settings} is {values}" if values else f"{settings} is set")

    def met(self, written: Written) -> str | None:
        """How a scenario meets it, for people; None where it does not."""
        for setting in self.settings:
            found = written(setting)
            if found is not None and (not self.values or found in self.values):
                return Condition((setting,), (found,) if self.values else ()).text
        return None


@dataclass(frozen=True, slots=True)
class Case:
    """What a field means where all conditions hold."""

    conditions: tuple[Condition, ...]
    how: How
    value: Any
    """As in `Default`."""
    written: Any
    """As the scenario would write it."""
    source: str
    note: str = ""

    @property
    def text(self) -> str:
        """The conditions for people: `outlier_detection is set`."""
        return " and ".join(condition.text for condition in self.conditions)

    def because(self, written: Written) -> str:
        """Why it holds for a scenario, for people; empty where it does not."""
        met = [condition.met(written) for condition in self.conditions]
        return "" if None in met else " and ".join(filter(None, met))
