"""The addresses of what stands at an instance's place, one pod after the other."""

from __future__ import annotations

from meshsim.policies.load_balancing.address import Address
from meshsim.randomness import ADDRESS, call_key

_HOSTNAME = -1


class Addresses:
    """Who is asked for is made: most runs hash nothing.

    Every pod has an address of its own, also one that takes another one's place: Kubernetes gives a new one to each, those of a
    StatefulSet included. A container that crashes and is restarted in its pod keeps it. An address that the scenario gives is that of
    the first pod, and the instance's name.

    Source: Kubernetes, docs "Pod lifecycle" (a pod is never rescheduled, another one takes its place) and "StatefulSets" (stable network
    identity: the name, not the address).
    """

    __slots__ = ("_given", "_key", "_made")

    def __init__(self, key: int, given: str = "") -> None:
        self._key = key
        self._given = given
        self._made: dict[int, Address] | None = None

    def of(self, pod: int) -> Address:
        """The address of the pod with this number, from 0; the same object for all proxies."""
        if self._made is None:
            self._made = {}
        address = self._made.get(pod)
        if address is None:
            is_given = pod in (0, _HOSTNAME)
            address = self._made[pod] = Address(call_key(self._key + ADDRESS, 1 + pod), self._given if is_given else "")
        return address

    @property
    def hostname(self) -> Address:
        """What stays."""
        return self.of(_HOSTNAME)
