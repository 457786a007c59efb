"""Tokens that a proxy verifies by itself, and the keys for that, which it has to fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from meshsim.flags import Flag
from meshsim.policies.filters.denying import UNAUTHORIZED, marked
from meshsim.policies.filters.filter import NOTHING, PASS, Decision, Filter, FilterState, Then, Verdict
from meshsim.policies.filters.flights import Flights
from meshsim.policies.filters.key_set import KeySet
from meshsim.policies.filters.lru import Lru
from meshsim.registry import SettingError, policy
from meshsim.units import LONGEST_NS, Count, Duration

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked, Surroundings
    from meshsim.policies.load_balancing.balancer import Draw

VERIFY_NS = {"HS256": 430, "RS256": 13_400, "ES256": 43_300, "EdDSA": 64_300}
KEYS = 0
"""What requests wait for: there is one key set."""
ASK = Verdict(then=Then.ASK, key=KEYS)
WAIT = Verdict(then=Then.WAIT, key=KEYS)
HIT = Verdict(decision=Decision.HIT)
FETCH_FAILED = Verdict(401, int(Flag.auth_unavailable), decision=Decision.FAILED_CLOSED)
GOLDEN = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio: its multiples lie evenly on a circle of 2^64."""


class Token(NamedTuple):
    """What a client has at a time."""

    number: int
    key: int
    """Which of the issuer's keys it is signed with."""


@policy
class JwtAuth(Filter):
    """Answer 401 to requests whose JSON web token is missing or bad, by keys that the proxy has fetched.

    What people get wrong of Envoy: (1) Without `async_fetch` the set is fetched when a request needs it, and *each* request that comes
    meanwhile fetches it once more, at the start and whenever `cache_duration` is over. While the issuer is down they are answered 401,
    not 503, and the old set is not used. (2) A token that is signed with a key that is not in the set is refused until the set is
    fetched anew, up to `cache_duration` after a rotation: Envoy does not fetch because of that. Issuers publish a key long before they
    sign with it (`publish_ahead`), and then nothing happens at all. (3) A token in the token cache is good until it expires, whatever
    has become of its key.

    The issuer keeps old keys in its set. Clients take a new token when the old one expires (`token_lifetime`), each at its own time; without
    a lifetime all of them take a new one at a rotation. A bad token has a good header and a wrong signature: it is verified as any
    other. Envoy keeps sets and tokens for each worker thread apart, here for each proxy; how a set comes by `async_fetch` is not
    simulated: the issuer is always there for that, and no request waits.

    Times are those of one signature by `openssl speed` (OpenSSL 3.0.19, one core of an AMD EPYC with Zen 5, RSA of 2048 bits, P-256, Ed25519, 512
    bytes for HS256): 0.43us HS256, 13us RS256, 43us ES256, 64us EdDSA. RSA signs slowly and verifies fast. Parsing comes on top.
    Envoy's access log shows no flag for a 401, only "jwt_authn_access_denied".

    Source: Envoy, source/extensions/filters/http/jwt_authn: filter.cc (onComplete; commit 0016b95), authenticator.cc (0198b8f), jwks_cache.cc
    (02a45cb), jwks_async_fetcher.cc (1022305), jwt_cache.cc (040783c) and config.proto v3 (0016b95); its issue 39643 of 2025 (unknown
    keys); panva/jose, RemoteJWKSetOptions.
    """

    routes: tuple[str, ...] = ()
    """Routes that need a token; all where absent."""
    algorithm: Literal["HS256", "RS256", "ES256", "EdDSA"] = "RS256"
    """How tokens are signed."""
    verify_time: Duration | None = None
    """How long a worker is at work for a token, in place of what the algorithm takes."""
    allow_missing: bool = False
    """Let requests without any token pass, as Istio's RequestAuthentication does (an AuthorizationPolicy then refuses them)."""
    service: str | None = None
    """Who has the key set: a service of the scenario, or `service/operation`; the proxy has it from the start where absent (`local_jwks`)."""
    timeout: Duration = 1_000_000_000
    """How long to wait for the key set; Envoy has no default, its documentation writes 1s."""
    cache_duration: Duration = 600_000_000_000
    """For how long a key set that has been fetched is used."""
    async_fetch: bool = False
    """Fetch the set before the first request comes, and again 5s before it is over; what is known then has no end."""
    coalesce: bool = False
    """Fetch once for all requests that wait for it; Envoy fetches for each."""
    refetch_cooldown: Duration | None = None
    """Fetch the set anew when a token's key is not in it, unless it came less than this ago (30s in jose); never where absent, as Envoy."""
    cache_size: Count = 0
    """Good tokens that are remembered and not verified again; Envoy's `jwt_cache_config` has 100 where it says no more."""
    rotations: tuple[Duration, ...] = ()
    """Times at which the issuer begins to sign with its next key."""
    publish_ahead: Duration = 0
    """How long before that the key is in the published set."""
    token_lifetime: Duration | None = None
    """How long a token is valid; for ever where absent."""

    def check(self) -> None:
        """Raise `SettingError` where settings do not go together."""
        for name in ("timeout", "cache_duration"):
            if getattr(self, name) <= 0:
                raise SettingError(name, "must be longer than 0s")
        if self.token_lifetime == 0:
            raise SettingError("token_lifetime", "must be longer than 0s; leave it out for tokens that last")
        if self.service is None:
            given = {"rotations": bool(self.rotations), "async_fetch": self.async_fetch, "coalesce": self.coalesce}
            given["refetch_cooldown"] = self.refetch_cooldown is not None
            for name, is_given in given.items():
                if is_given:
                    raise SettingError(name, "needs a `service`: keys that the proxy has from the start never change")
        if self.publish_ahead and not self.rotations:
            raise SettingError("publish_ahead", "does nothing without `rotations`")
        if self.async_fetch and (self.coalesce or self.refetch_cooldown is not None):
            raise SettingError("async_fetch", "goes without `coalesce` and `refetch_cooldown`: no request fetches then")

    def build(self, *, around: Surroundings) -> JwtAuthState:
        """No keys, unless they are the proxy's own, and no tokens."""
        return JwtAuthState(self, around)


class JwtAuthState(FilterState):
    """The keys and the tokens that one proxy knows."""

    delays = True
    draws = False

    def __init__(self, settings: JwtAuth, around: Surroundings) -> None:
        """No keys, unless they are the proxy's own, and no tokens."""
        self.timeout = settings.timeout
        self.coalesce = settings.coalesce
        self.refetch_cooldown = settings.refetch_cooldown
        self.cache_size = settings.cache_size
        self.token_lifetime = settings.token_lifetime
        work_ns = VERIFY_NS[settings.algorithm] if settings.verify_time is None else settings.verify_time
        lifetime_ns = None if settings.service is None else settings.cache_duration
        self._checks = marked("routes", settings.routes, around.routes)
        self._missing = PASS if settings.allow_missing else UNAUTHORIZED
        self._good = Verdict(work_ns=work_ns, decision=Decision.MISS if settings.cache_size else Decision.ADMITTED)
        self._bad = UNAUTHORIZED._replace(work_ns=work_ns)
        self._keys = KeySet(
            settings.rotations, settings.publish_ahead, lifetime_ns, is_async=settings.async_fetch, born_ns=around.born_ns
        )
        self._refetch_ns = 0
        """From when on a token with an unknown key makes the set be fetched."""
        self._flights = Flights()
        self._tokens: Lru[bool] = Lru(settings.cache_size)

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS` or 401 after the work, or what to do for the keys first."""
        if not self._checks[asked.route]:
            return PASS
        if asked.credential == NOTHING:
            return self._missing
        token = self._token(now_ns, asked.credential)
        if self.cache_size and self._tokens.get(token.number, now_ns):
            return HIT
        return self._fetch(now_ns) if self._needs_keys(now_ns, token) else self._verify(now_ns, asked, token)

    def answered(self, now_ns: int, asked: Asked, status: int, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS` or 401 after the work, if the keys have come; 401 otherwise."""
        if self.coalesce:
            self._flights.end(KEYS, now_ns, status, self.timeout)
        if status != 200:
            return FETCH_FAILED
        self._keys.fetched(now_ns)
        self._refetch_ns = now_ns + (self.refetch_cooldown or 0)
        return self._verify(now_ns, asked, self._token(now_ns, asked.credential))

    def _token(self, now_ns: int, credential: int) -> Token:
        """The token that a client with this credential has now."""
        if self.token_lifetime is None:
            key = self._keys.signing(now_ns)
            return Token(key << 32 | credential, key)
        offset_ns = self.token_lifetime * (credential * GOLDEN & (1 << 64) - 1) >> 64
        number, age_ns = divmod(now_ns + offset_ns, self.token_lifetime)
        return Token(number << 32 | credential, self._keys.signing(now_ns - age_ns))

    def _needs_keys(self, now_ns: int, token: Token) -> bool:
        """Whether the key set is to be fetched for this token."""
        if self._keys.is_missing(now_ns):
            return True
        return self.refetch_cooldown is not None and now_ns >= self._refetch_ns and token.key > self._keys.known(now_ns)

    def _verify(self, now_ns: int, asked: Asked, token: Token) -> Verdict:
        """`PASS` or 401; where the token's key is not in the set, nothing is verified."""
        if token.key > self._keys.known(now_ns):
            return UNAUTHORIZED
        if not asked.is_valid:
            return self._bad
        if self.cache_size:
            self._tokens.put(token.number, value=True, expires_ns=now_ns + LONGEST_NS)  # no client brings it once it has expired
        return self._good

    def _fetch(self, now_ns: int) -> Verdict:
        """Go for the keys, or wait for who has gone."""
        if self.coalesce:
            if self._flights.is_on(KEYS):
                return WAIT
            if self._flights.ended(KEYS, now_ns) is False:
                return FETCH_FAILED
            self._flights.begin(KEYS, now_ns)
        return ASK
