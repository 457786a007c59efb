"""What every policy is asked that takes hosts out because of how they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.own_policies import State, one_of, yes_or_no
from meshsim.registry import Policy, family

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw


class HostEjectionState(State):
    """Takes hosts out because of how they answer. It belongs to one proxy's view of one destination."""

    __slots__ = ()

    def join(self, index: int) -> None:
        """A host is new: nothing is known of it."""

    def leave(self, index: int) -> None:
        """A host has gone."""

    def pass_check(self, index: int, now_ns: int) -> bool:
        """A host has passed an active health check, and counts as healthy by those; whether that has ended its ejection."""
        raise NotImplementedError

    def record(self, index: int, now_ns: int, status: int, grpc_status: int, flags: int, draw: Draw) -> bool:
        """An attempt at a host has ended; whether the host has just been ejected.

        Args:
            index: The host.
            now_ns: Time.
            status: HTTP status.
            grpc_status: gRPC status, -1 where the answer has none.
            flags: Bits of `meshsim.flags.Flag`.
            draw: Chance.
        """
        raise NotImplementedError

    def sweep(self, now_ns: int, draw: Draw) -> list[int]:
        """The look at all hosts that is due at each `interval`.

        Args:
            now_ns: Time.
            draw: Chance.

        Returns:
            Hosts that have come back or were ejected, in the order in which that happened; one that was both is there twice.
        """
        raise NotImplementedError


@family("outlier_detection", HostEjectionState, record=yes_or_no, pass_check=yes_or_no, sweep=one_of(list))
class HostEjection(Policy):
    """Says which hosts are taken out, and for how long. Each proxy's view of a destination has a state of its own."""

    def build(self, *, hosts: int, draw: Draw | None = None) -> HostEjectionState:
        """Nothing is held against any of so many hosts.

        Args:
            hosts: How many there are.
            draw: Gives the order in which a sweep looks at them, which in Envoy is that of a hash map; None for their own.
        """
        raise NotImplementedError
