"""What a cache keeps: values by key, until they expire or have to make room."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from meshsim.plan import NONE, Eviction
from meshsim.randomness import EVICTION, uniform

if TYPE_CHECKING:
    from meshsim.plan import Cache

FOR_EVER = 2**63 - 1


class Value:
    """One value."""

    __slots__ = ("expires_ns", "lives_ns", "load_ns", "place")

    def __init__(self) -> None:
        self.lives_ns = 0
        """How long it is good after each time that its life begins."""
        self.expires_ns = FOR_EVER
        self.load_ns = 0
        """How long it took to load."""
        self.place = 0
        """Where it stands among all, for whoever picks one at random."""

    def live(self, plan: Cache, now_ns: int, drawn: float) -> None:
        """Begin a life that is shorter than the longest by a random part of the jitter, by a number between 0 and 1."""
        if plan.ttl_ns != NONE:
            self.lives_ns = round(plan.ttl_ns * (1.0 - plan.jitter * drawn))
            self.expires_ns = now_ns + self.lives_ns


class KeptValues:
    """As many values as it has room for. What has expired stays until it is written anew or has to go, as in memcached."""

    __slots__ = ("_capacity", "_closed", "_eviction", "_keys", "_seed", "_values", "evicted")

    def __init__(self, capacity: int, eviction: Eviction, seed: int) -> None:
        """An empty one.

        Args:
            capacity: Values at most; NONE for no limit.
            eviction: Who makes room.
            seed: Key of what is drawn for that.
        """
        self._capacity = capacity
        self._eviction = eviction
        self._seed = seed
        self._values: OrderedDict[int, Value] = OrderedDict()
        """By key; who makes room first stands first."""
        self._keys: list[int] = []
        """All keys, where one of them is drawn to make room."""
        self._closed = 0
        self.evicted = 0
        """Values that had to make room so far."""

    def __len__(self) -> int:
        """Values, expired ones among them."""
        return len(self._values)

    def find(self, key: int) -> Value | None:
        """The value of a key, good or expired, which counts as a use of it."""
        value = self._values.get(key)
        if value is not None and self._eviction is Eviction.LRU:
            self._values.move_to_end(key)
        return value

    def put(self, key: int) -> Value | None:
        """A place for the value of a key, in that of an older one of its; None where nothing is kept at present."""
        if self._closed:
            return None
        value = self._values.get(key)
        if value is None:
            if len(self._values) == self._capacity:
                self._make_room()
            value = self._values[key] = Value()
            if self._eviction is Eviction.RANDOM:
                value.place = len(self._keys)
                self._keys.append(key)
        elif self._eviction is Eviction.LRU:
            self._values.move_to_end(key)
        return value

    def _make_room(self) -> None:
        self.evicted += 1
        if self._eviction is not Eviction.RANDOM:
            self._values.popitem(last=False)
            return
        keys = self._keys
        place = int(uniform(self._seed, EVICTION, self.evicted) * len(keys))
        del self._values[keys[place]]
        last = keys.pop()
        if place < len(keys):  # the last one takes its place
            keys[place] = last
            self._values[last].place = place

    def clear(self) -> None:
        """Lose everything."""
        self._values.clear()
        self._keys.clear()

    def close(self) -> None:
        """Lose everything, and keep nothing until opened again as often as closed."""
        self._closed += 1
        self.clear()

    def open(self) -> None:
        """End one of those."""
        self._closed -= 1

    @property
    def room(self) -> int:
        """How many values there may be."""
        return FOR_EVER if self._capacity == NONE else self._capacity
