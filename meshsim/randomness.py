"""Random numbers by key: each a pure function of what it is for, never of how many were drawn before.

    root_key(seed, replication, stream)       one per named thing: a load, a service
    └── request_key(root, number)             the request itself (closed loads: user_request_key(root, user, iteration))
        └── call_key(parent, place)           a call, by the place in its parent's script
            └── attempt_key(call, layer, n)   a further attempt of it, by the layer that retries
                └── uniform(key, purpose, index)

So request 1,234 arrives at the same instant and meets the same luck whichever policy is under test and in whichever order
events run: variants are compared request by request. Keys are whole numbers from 0 to 2^64 - 1; all arithmetic is modulo 2^64.

Every number is one step of splitmix64 from its key, which passes BigCrush. Two keys that differ give the same number by accident
only (odds 2^-64 a pair).

Sources: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; the finaliser is Stafford's mix 13,
as in Vigna's splitmix64.c; keys instead of streams: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from hashlib import blake2b

MASK = 0xFFFFFFFFFFFFFFFF
GOLDEN = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio, odd: splitmix64's step."""
FIRST = 0xBF58476D1CE4E5B9
SECOND = 0x94D049BB133111EB
STEP = 2.0**-52


def mix(z: int) -> int:
    """The finaliser of splitmix64: a bijection of 64 bits in which each bit of the result hangs on every bit of `z`."""
    z &= MASK
    z = (z ^ (z >> 30)) * FIRST & MASK
    z = (z ^ (z >> 27)) * SECOND & MASK
    return z ^ (z >> 31)


def stream(name: str) -> int:
    """64 bits of a name. Names and not positions, so that a further service or another order of keys changes nothing else."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


ARRIVAL = stream("purpose: arrival")
ROUTE = stream("purpose: route")
DESTINATION = stream("purpose: destination")
GATEWAY_PICK = stream("purpose: gateway pick")
SERVICE_TIME = stream("purpose: service time")
ERROR = stream("purpose: error")
CALL = stream("purpose: call")
LOAD_BALANCER = stream("purpose: load balancer")
BACK_OFF = stream("purpose: back-off")
NETWORK = stream("purpose: network")
PROXY_TIME = stream("purpose: proxy time")
THINK_TIME = stream("purpose: think time")
SAMPLE = stream("purpose: sample")
START_OFFSET = stream("purpose: start offset")
LOCALITY = stream("purpose: locality")
OUTLIER = stream("purpose: outlier")
HASH = stream("purpose: hash")
SUBSET = stream("purpose: subset")
MIRROR = stream("purpose: mirror")
THROTTLING = stream("purpose: throttling")
HANDSHAKE = stream("purpose: handshake")
PROPAGATION = stream("purpose: propagation")
PHASE = stream("purpose: phase")
LATENESS = stream("purpose: lateness")
FAULT = stream("purpose: fault")
FILTER = stream("purpose: filter")
TRACE = stream("purpose: trace")
WAYPOINT_PICK = stream("purpose: waypoint pick")
CONTENT_KEY = stream("purpose: content key")
ADDRESS = stream("purpose: address")
EDGE = stream("purpose: edge")
FALLBACK = stream("purpose: fallback")
PART = stream("purpose: part")
BODY = stream("purpose: body")
ANSWER_SIZE = stream("purpose: answer size")
CREDENTIAL = stream("purpose: credential")
TOKEN = stream("purpose: token")
TICK = stream("purpose: tick")
SCRAPE = stream("purpose: scrape")
SYNC = stream("purpose: sync")
CHECKS = stream("purpose: checks")
POOL = stream("purpose: pool")
CPU = stream("purpose: cpu")
BURST = stream("purpose: burst")
COPIES = stream("purpose: copies")
PATIENCE = stream("purpose: patience")
PUBLISH = stream("purpose: publish")
DELIVERY = stream("purpose: delivery")
PARTITION = stream("purpose: partition")
DEAD_LETTER = stream("purpose: dead letter")
LOOKUP = stream("purpose: lookup")
CACHE_HIT = stream("purpose: cache hit")
CACHE_KEY = stream("purpose: cache key")
WARM = stream("purpose: warm cache")
TIME_TO_LIVE = stream("purpose: time to live")
EARLY = stream("purpose: early expiration")
EVICTION = stream("purpose: eviction")

CLIENT = stream("layer: client")
APPLICATION = stream("layer: application")
GATEWAY = stream("layer: gateway")
SIDECAR = stream("layer: sidecar")
WAYPOINT = stream("layer: waypoint")

REQUEST_KEY = stream("key: request")
_USER = stream("key: user")
_PLACE = stream("key: place")


def root_key(seed: int, replication: int, stream: int) -> int:
    """The key of everything that one named thing draws in one replication; seeds count modulo 2^64.

    Args:
        seed: The run's seed.
        replication: From 0.
        stream: Hash of the name, by `stream`.
    """
    return mix(mix(mix(seed + GOLDEN) + (replication + 1) * GOLDEN) + stream)


def request_key(root: int, number: int) -> int:
    """The key of request `number` (from 0) of an open source."""
    return mix(root + REQUEST_KEY + number * GOLDEN)


def user_request_key(root: int, user: int, iteration: int) -> int:
    """The key of what virtual user `user` sends in its turn `iteration` (both from 0) of a closed source."""
    return mix(mix(root + _USER + user * GOLDEN) + REQUEST_KEY + iteration * GOLDEN)


def call_key(parent_key: int, place: int) -> int:
    """The key of a call (or of a numbered part of a thing) at `place`, from 0, below its parent."""
    z = (parent_key + _PLACE + place * GOLDEN) & MASK  # `mix`, written out: this is drawn for every call
    z = (z ^ (z >> 30)) * FIRST & MASK
    z = (z ^ (z >> 27)) * SECOND & MASK
    return z ^ (z >> 31)


def attempt_key(call_key: int, layer: int, attempt: int) -> int:
    """The key of attempt number `attempt`, from 1, that a layer makes of a call.

    The first attempt has the call's own key, so that a request meets the same luck whichever proxies stand on its way. Later ones
    take in the layer (`CLIENT`, `APPLICATION`, `GATEWAY` or `SIDECAR`), so that retries inside of retries never meet.
    """
    return call_key if attempt == 1 else mix(call_key + layer + attempt * GOLDEN)


def uniform(key: int, purpose: int, index: int = 0) -> float:
    """A number strictly between 0 and 1.

    It is an odd multiple of 2^-53, so 1 - u is exact and both lie inside. (With 53 bits the largest would round to 1.)

    Args:
        key: Of the request, call or attempt.
        purpose: What is decided, such as `SERVICE_TIME`.
        index: From 0, where one decision takes several numbers.
    """
    z = (key + purpose + (index + 1) * GOLDEN) & MASK
    z = (z ^ (z >> 30)) * FIRST & MASK
    z = (z ^ (z >> 27)) * SECOND & MASK
    return (((z ^ (z >> 31)) >> 12) + 0.5) * STEP


class Draw:
    """The numbers of one decision, one after the other: index 0, 1, 2 of `uniform`. One object serves many decisions."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = 0

    def at(self, key: int, purpose: int) -> Draw:
        """Itself, before the first number of the decision `purpose` for `key`."""
        self._state = key + purpose
        return self

    def uniform(self) -> float:
        """The next number, strictly between 0 and 1."""
        self._state = state = self._state + GOLDEN
        return ((mix(state) >> 12) + 0.5) * STEP

    def below(self, n: int) -> int:
        """The next number as a whole one from 0 to n - 1; none is likelier than another by more than n * 2^-64.

        Source: the multiplication of Lemire, "Fast random integer generation in an interval", ACM TOMACS 29(1), 2019.
        """
        self._state = z = (self._state + GOLDEN) & MASK
        z = (z ^ (z >> 30)) * FIRST & MASK
        z = (z ^ (z >> 27)) * SECOND & MASK
        return ((z ^ (z >> 31)) * n) >> 64
