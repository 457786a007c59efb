"""No locality: zones make no difference."""

from __future__ import annotations

from meshsim.policies.locality.locality import Locality, LocalityState
from meshsim.registry import policy


@policy
class IgnoreZones(Locality):
    """Pick among all healthy hosts of a priority, wherever they are.

    Source: Envoy, docs/root/intro/arch_overview/upstream/load_balancing/priority.rst.
    """

    def build(self, zones: tuple[str, ...] = (), **_: object) -> LocalityState:
        """All healthy hosts together, as without any policy."""
        return LocalityState(zones)
