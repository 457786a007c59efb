"""Deterministic aperture: each proxy looks at its stretch of a ring of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.load_balancing.balancer import Draw, Endpoint, LoadBalancer
from meshsim.registry import policy
from meshsim.units import PositiveCount

if TYPE_CHECKING:
    from collections.abc import Sequence


@policy
class Aperture(LoadBalancer):
    """Send to the less loaded of two endpoints drawn from this proxy's stretch of a ring, weighted by how much of each lies in it.

    Proxies and endpoints stand around a ring at equal distances; a proxy's stretch begins at its own place and is wide enough for
    `min_aperture` endpoints, in whole multiples of 1/proxies, so that the stretches together cover each endpoint equally. Fewer
    connections than with all endpoints, and loads as even. The two draws may be the same endpoint.

    Source: Finagle, finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/aperture (DeterministicAperture, Ring).
    """

    min_aperture: PositiveCount = 12
    """Endpoints that the stretch has room for at least; 12 in Finagle."""

    def set_up(self, endpoints: Sequence[Endpoint], draw: Draw, client: int = 0, clients: int = 1) -> None:
        """This proxy's stretch."""
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

    @property
    def size(self) -> int:
        """How many endpoints lie in the stretch, in part or whole."""
        return len({self._at((number + 0.5) / (8 * self._count)) for number in range(8 * self._count)})

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw, now_ns: int, hash_key: int) -> int:  # noqa: ARG002
        """Position of the less loaded of two."""
        first, second = self._at(draw.uniform()), self._at(draw.uniform())
        return second if endpoints[second].in_flight < endpoints[first].in_flight else first

    def _at(self, share: float) -> int:
        """The endpoint at this share of the stretch."""
        place = self._from + share * self._width
        return min(int((place - int(place)) * self._count), self._count - 1)
