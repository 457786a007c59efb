"""Mixture: one of several distributions, by weight."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate
from typing import Any, TypedDict

from meshsim.distributions.distribution import Distribution
from meshsim.registry import SettingError, policy
from meshsim.units import Number  # noqa: TC001 — settings' types are read at run time

_LEAST = 2.0**-53


class Component(TypedDict):
    """One part of a mixture."""

    weight: Number
    """How often, in proportion to the other weights."""
    time: Distribution
    """How long then."""


@policy
class Mixture(Distribution):
    """One of several distributions, chosen by weight: a cache's hits and misses.

    One number decides both: the share of the interval it falls into says which, and where it falls inside says the time. So the
    times are in order of size only within a component, and a component of share s knows steps of 2^-52 / s.

    Source: the composition method; Law, Simulation Modeling and Analysis, 5th ed. 2015, section 8.2.2.
    """

    of: tuple[Component, ...]
    """The components, each `{weight: 95, time: 3ms}`; a weight is any number, such as a percentage."""

    def check(self) -> None:
        """There is a component with a weight, and each is right in itself."""
        if not any(component["weight"] > 0 for component in self.of):
            raise SettingError("of", "needs a component with a weight above 0")
        for component in self.of:
            component["time"].check()

    def set_up(self, **_context: Any) -> None:
        """The bounds of the components' intervals; those without weight are left out."""
        parts = [component for component in self.of if component["weight"] > 0]
        sums = list(accumulate(component["weight"] for component in parts))
        self._times: list[Distribution] = [component["time"].build() for component in parts]
        self._bounds = [0.0, *(part / sums[-1] for part in sums)]

    def quantile(self, u: float) -> float:
        """The time of the component into whose interval `u` falls, in nanoseconds."""
        bounds = self._bounds
        index = bisect_right(bounds, u) - 1
        inside = (u - bounds[index]) / (bounds[index + 1] - bounds[index])
        return self._times[index].quantile(min(max(inside, _LEAST), 1.0 - _LEAST))

    @property
    def mean_ns(self) -> float:
        """Mean of the components' means by weight, in nanoseconds."""
        total = math.fsum(component["weight"] for component in self.of)
        return math.fsum(component["weight"] * component["time"].mean_ns for component in self.of) / total
