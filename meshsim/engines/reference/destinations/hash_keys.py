"""What the hash of a request is made of, for load balancers by hash and for routes that keep requests together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import NONE, HashOn
from meshsim.policies.load_balancing import NO_HASH
from meshsim.randomness import HASH, call_key, root_key
from meshsim.xxhash import xxhash64

if TYPE_CHECKING:
    from meshsim.engines.reference.travel.request import Request
    from meshsim.plan import Plan


class HashKeys:
    """The hashes of one run's requests: the same at all its proxies, other ones in each replication.

    What the scenario names, a consumer or one of a load's `keys`, has the hash that Envoy makes of that name in a header. Nobody knows
    the names of other keys, of users and of addresses, and so their hashes are drawn.

    Source: Envoy, source/common/http/hash_policy.cc (xxHash64 of the header's value; of a single policy nothing is added).
    """

    __slots__ = ("_consumers", "_keys", "_known", "_loads", "_root", "_routes")

    def __init__(self, plan: Plan, seed: int, replication: int) -> None:
        self._root = root_key(seed, replication, HASH)
        self._consumers, self._routes, self._keys = plan.names.consumers, plan.names.routes, plan.names.keys
        self._loads = [root_key(seed, replication, source.stream + HASH) for source in plan.sources]
        self._known: dict[str, int] = {}
        """Hashes of names that have been asked for."""

    def of(self, request: Request, hash_on: HashOn) -> int:
        """64 bits of what the requests that belong together share; `NO_HASH` for a request that has no such thing."""
        match hash_on:
            case HashOn.KEY:
                return NO_HASH if request.content_key == NONE else self._key(request.content_key)
            case HashOn.CONSUMER:
                return self._named(self._consumers[request.consumer]) if request.consumer else NO_HASH
            case HashOn.ROUTE:
                return NO_HASH if request.route == NONE else call_key(self._root, self._named(self._routes[request.route]))
            case HashOn.ADDRESS:
                return call_key(self._root, request.address)
            case _:
                if request.user == NONE:  # nobody comes twice: as a client without a cookie, who is given a new one
                    return request.key
                return call_key(self._loads[request.source], request.user)

    def of_user(self, request: Request, of: HashOn) -> int:
        """As `of`, for whom a route keeps together by a draw of its own: names are no luck of the draw there."""
        hash_key = self.of(request, of)
        return hash_key if hash_key == NO_HASH else call_key(self._root, hash_key)

    def _key(self, key: int) -> int:
        """Named keys come first; keys without a name and with one number are the same thing for all loads."""
        named = len(self._keys)
        return self._named(self._keys[key]) if key < named else call_key(self._root, key - named)

    def _named(self, name: str) -> int:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = xxhash64(name)
        return found
