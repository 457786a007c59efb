"""What an endpoint is called, as far as hashes of it go."""

from __future__ import annotations

from meshsim.randomness import call_key
from meshsim.xxhash import xxhash64

_RING = 2
"""From this number on hashes of a drawn address are its places on a ring."""


class Address:
    """The hashes of an endpoint's address: of the one that is given, or of one that is drawn.

    Of an address that nobody has given only its hashes are drawn, each as likely as any other: that is what Envoy's hash makes of
    addresses which nobody has chosen for their hashes.

    Source: Envoy, source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc (xxHash64 of "address_number") and
    maglev/maglev_lb.cc (xxHash64 of the address with the seeds 0 and 1).
    """

    __slots__ = ("_key", "_ring", "text")

    def __init__(self, key: int, text: str = "") -> None:
        self._key = key
        self.text = text
        """As it is given; empty where it is drawn."""
        self._ring: list[int] = []
        """Places that have been asked for: all proxies ask for the same ones."""

    def place(self, number: int) -> int:
        """64 bits: its place `number` on a ring."""
        while number >= len(self._ring):
            self._ring.append(self._place(len(self._ring)))
        return self._ring[number]

    def hash(self, seed: int = 0) -> int:
        """64 bits, other ones for each of the seeds 0 and 1."""
        return xxhash64(self.text, seed) if self.text else call_key(self._key, seed)

    @property
    def order(self) -> tuple[str, int]:
        """What addresses are sorted by: given ones as text, drawn ones by chance, as if by theirs."""
        return self.text, self._key

    def _place(self, number: int) -> int:
        return xxhash64(f"{self.text}_{number}") if self.text else call_key(self._key, _RING + number)
