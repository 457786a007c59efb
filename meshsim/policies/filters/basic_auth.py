"""Who has no password is refused, and checking it takes as long as its hash does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Le

from meshsim.policies.filters.denying import UNAUTHORIZED, marked
from meshsim.policies.filters.filter import NOTHING, PASS, Decision, Filter, FilterState, Verdict
from meshsim.policies.filters.lru import Lru
from meshsim.registry import policy
from meshsim.units import LONGEST_NS, Count, Duration

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked, Surroundings
    from meshsim.policies.load_balancing.balancer import Draw

HASH_NS = {"sha": 130, "apr1": 170_000, "sha512_crypt": 1_500_000}
BCRYPT_NS = 45_000
"""For each of the 2^cost rounds."""
HIT = Verdict(decision=Decision.HIT)


@policy
class BasicAuth(Filter):
    """Answer 401 to requests without a password, or with a wrong one; a worker hashes each password that comes.

    A hash that is made to be slow is slow at every request, since HTTP keeps no session: with bcrypt of cost 10 one worker gets through 22
    requests a second, good or bad, and whatever else it has to do waits meanwhile. Neither NGINX nor Traefik remembers what it has
    checked (`cache_size` would); Envoy takes SHA-1 only, and nothing else is as fast. A bad password costs as much as a good one,
    if its user exists: Envoy refuses an unknown one unhashed. A request without any costs nothing.

    | algorithm    | time         | what it is                             |
    |--------------|--------------|----------------------------------------|
    | sha          | 0.13us       | `{SHA}`, one block                     |
    | apr1         | 170us        | `$apr1$`, 1000 rounds of MD5           |
    | sha512_crypt | 1.5ms        | `$6$`, 5000 rounds                     |
    | bcrypt       | 45us x 2^cost | 1.4ms at cost 5, 46ms at 10, 184ms at 12 |

    Times are measured, on one core of an AMD EPYC with Zen 5: `openssl speed -evp sha1` (OpenSSL 3.0.19, 64 bytes) and crypt(3) of
    libxcrypt. Other machines take twice as long: Traefik's issue 4791 tells of 180ms for cost 11, which is 92ms here.

    Source: Envoy, source/extensions/filters/http/basic_auth/basic_auth_filter.cc (validateUser; commit 00d1874; Envoy's log shows no flag);
    Traefik, pkg/middlewares/auth/basic_auth.go (24cede6: since 3.6.11 checks of one password at the same time are one, which is left
    out here), issue 7897; NGINX, ngx_http_auth_basic_module.c; Apache 2.4, htpasswd(1); Caddy, issue 3462.
    """

    routes: tuple[str, ...] = ()
    """Routes that need a password; all where absent."""
    algorithm: Literal["sha", "apr1", "sha512_crypt", "bcrypt"] = "sha"
    """How passwords are hashed; Envoy has `sha` alone."""
    bcrypt_cost: Annotated[int, Ge(4), Le(31)] = 5
    """2^cost rounds; 5 is what `htpasswd -B` writes."""
    verify_time: Duration | None = None
    """How long a worker is at work for a password, in place of what the algorithm takes."""
    cache_size: Count = 0
    """Good passwords that are remembered and not hashed again; the one not used for longest goes first."""

    def hash_ns(self) -> int:
        """How long the algorithm takes for a password."""
        return BCRYPT_NS << self.bcrypt_cost if self.algorithm == "bcrypt" else HASH_NS[self.algorithm]

    def build(self, *, around: Surroundings) -> BasicAuthState:
        """Nothing is remembered."""
        return BasicAuthState(self, around)


class BasicAuthState(FilterState):
    """The passwords that are remembered."""

    draws = False

    def __init__(self, settings: BasicAuth, around: Surroundings) -> None:
        """Nothing is remembered."""
        work_ns = settings.hash_ns() if settings.verify_time is None else settings.verify_time
        self.delays = work_ns > 0
        self._checks = marked("routes", settings.routes, around.routes)
        self._work_ns = work_ns
        self._good = Verdict(work_ns=work_ns, decision=Decision.MISS if settings.cache_size else Decision.ADMITTED)
        self._bad = UNAUTHORIZED._replace(work_ns=work_ns)
        self._ready_ns: Lru[int] = Lru(settings.cache_size)
        """From when on it is known that a password is good, by its number; hashing it takes that long."""

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`, or 401, mostly after some work."""
        if not self._checks[asked.route]:
            return PASS
        credential = asked.credential
        if credential == NOTHING:
            return UNAUTHORIZED
        ready_ns = self._ready_ns.get(credential, now_ns)
        if ready_ns is not None and now_ns >= ready_ns:
            return HIT
        if not asked.is_valid:
            return self._bad
        if ready_ns is None:
            self._ready_ns.put(credential, now_ns + self._work_ns, now_ns + LONGEST_NS)
        return self._good
