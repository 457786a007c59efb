"""Deterministic aperture: each proxy looks at its stretch of a ring of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.load_balancing.balancer import Draw, Endpoint, LoadBalancer, LoadBalancerState
from meshsim.registry import policy
from meshsim.units import PositiveCount

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALLEST = 1e-6
"""What is less than this share of the ring is nothing: rounding."""
SAME_WEIGHT = 1e-4
"""Weights closer than this are the same."""


@policy
class Aperture(LoadBalancer):
    """Send to the less loaded of two endpoints drawn from this proxy's stretch of a ring, weighted by how much of each lies in it.

    Proxies and endpoints stand around a ring at equal distances; a proxy's stretch begins at its own place and is wide enough for
    `min_aperture` endpoints, in whole multiples of 1/proxies, so that the stretches together cover each endpoint equally. Fewer
    connections than with all endpoints, and loads as even. The two are different endpoints where the stretch has two; one at an end,
    of which the stretch holds a part only, counts as that much busier.

    The endpoints stand in the order of the hashes of their addresses, so that which of them are neighbours is luck, another one in each
    replication, and has nothing to do with zones.

    Source: Finagle, finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/aperture (DeterministicAperture, Ring) and Address.scala
    (hashOrdering).
    """

    min_aperture: PositiveCount = 12
    """Endpoints that the stretch has room for at least; 12 in Finagle."""

    def build(self, *, endpoints: Sequence[Endpoint], draw: Draw, client: int = 0, clients: int = 1) -> ApertureState:
        """This proxy's stretch."""
        return ApertureState(self, endpoints, draw, client, clients)


class ApertureState(LoadBalancerState):
    """One proxy's stretch of the ring."""

    __slots__ = ("_client", "_clients", "_count", "_from", "_order", "_width", "min_aperture")

    def __init__(self, settings: Aperture, endpoints: Sequence[Endpoint], draw: Draw, client: int, clients: int) -> None:
        """This proxy's stretch."""
        self.min_aperture = settings.min_aperture
        self._client, self._clients = client % clients, clients
        self.update(endpoints, draw)

    def update(self, endpoints: Sequence[Endpoint], draw: Draw) -> None:  # noqa: ARG002
        """The stretch on the ring of these endpoints."""
        count, unit = len(endpoints), 1.0 / self._clients
        wanted = min(1.0, self.min_aperture / count)
        multiples = -(-wanted // unit)
        if multiples * unit - unit >= wanted - 1e-12:
            multiples -= 1
        self._from = self._client * unit
        self._width = min(1.0, max(1.0, multiples) * unit)
        self._count = count
        self._order = sorted(range(count), key=lambda position: (endpoints[position].address.hash(), position))
        """Position of the endpoint at each place of the ring."""

    @property
    def size(self) -> int:
        """How many endpoints lie in the stretch, in part or whole."""
        return len({self._at((number + 0.5) / (8 * self._count)) for number in range(8 * self._count)})

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw, now_ns: int, hash_key: int) -> int:  # noqa: ARG002
        """Position of the less loaded of two."""
        first = self._at(draw.uniform())
        begins, weight = self._part(first)
        left = self._width - weight / self._count
        order = self._order
        if left <= SMALLEST:
            return order[first]
        place = draw.uniform() * left
        if place >= begins:
            place += weight / self._count  # past the first, which is left out
        second = self._at(place / self._width)
        other_weight = self._part(second)[1]
        if abs(weight - other_weight) < SAME_WEIGHT:
            weight = other_weight
        one, other = order[first], order[second]
        return other if endpoints[other].in_flight / other_weight < endpoints[one].in_flight / weight else one

    def _at(self, share: float) -> int:
        """The place on the ring at this share of the stretch."""
        place = self._from + share * self._width
        return min(int((place - int(place)) * self._count), self._count - 1)

    def _part(self, position: int) -> tuple[float, float]:
        """Where the endpoint at a place begins, from the stretch's beginning on, and how much of it lies in the stretch, as a share of it."""
        begins = position / self._count - self._from
        if begins + 1.0 < self._width:  # the stretch goes around the ring's end
            begins += 1.0
        overlap = min(begins + 1.0 / self._count, self._width) - max(begins, 0.0)
        return max(begins, 0.0), max(overlap * self._count, SMALLEST)
