"""Tokens that only their issuer can read: it is asked, and its answers are kept for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from annotated_types import Ge, Le

from meshsim.flags import Flag
from meshsim.policies.filters.denying import UNAUTHORIZED, marked
from meshsim.policies.filters.filter import NOTHING, PASS, Decision, Filter, FilterState, Then, Verdict
from meshsim.policies.filters.flights import Flights
from meshsim.policies.filters.lru import Lru
from meshsim.registry import SettingError, policy
from meshsim.units import Duration, PositiveCount

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked, Surroundings
    from meshsim.policies.load_balancing.balancer import Draw

HIT = Verdict(decision=Decision.HIT)
MISS = Verdict(decision=Decision.MISS)
STALE = Verdict(decision=Decision.STALE)
FAILED_OPEN = Verdict(decision=Decision.FAILED_OPEN)


class Answer(NamedTuple):
    """What the issuer said of a token."""

    is_active: bool
    fresh_until_ns: int


@policy
class Oauth2Introspection(Filter):
    """Ask a token's issuer whether it is good, and believe that for a while; 401 where it is not.

    The issuer answers 200 to a bad token too ("active": false): anything else is a failure, and so are answers that do not come. The longer
    answers are kept, the longer a token that has been revoked goes through. Bad tokens are kept like good ones, and take their
    room; without that (`negative_ttl: 0s`) whoever makes tokens up loads the issuer with each of them. Where `coalesce` is
    off, all requests with one token ask while none has an answer. Who waits for another one's question that fails fails
    with it; NGINX would let the next one ask then. A request without a token is refused, and nobody asked.

    Defaults are those of Kong's plugin, but for `size` and `coalesce`, which it does not say; NGINX's example keeps answers for 10s, lets
    one request ask (`proxy_cache_lock`), uses old answers while the issuer is away (`proxy_cache_use_stale`), and answers 403 to
    a bad token and 401 to a failure. One cache for each proxy.

    Source: RFC 7662, section 2.2; Kong's plugin oauth2-introspection, schema of its configuration (ttl 30, timeout 10000); NGINX-Demos,
    oauth2-token-introspection-oss/frontend.conf (commit 38aa048) and oauth2.js (631d98c); NGINX, ngx_http_auth_request_module.c.
    """

    service: str
    """Who introspects: a service of the scenario, or `service/operation`."""
    routes: tuple[str, ...] = ()
    """Routes that need a token; all where absent."""
    timeout: Duration = 10_000_000_000
    """How long to wait for the answer."""
    ttl: Duration = 30_000_000_000
    """How long it is believed that a token is good; 0 to ask each time."""
    negative_ttl: Duration | None = None
    """The same for a bad one; as `ttl` where absent."""
    size: PositiveCount = 8000
    """Answers that are kept, of good and bad tokens together; the one not used for longest goes first. 8000 fit into a zone of 1MiB."""
    coalesce: bool = True
    """One request asks, and others with the same token wait for that."""
    stale_if_error: Duration = 0
    """For how long after its time an answer is still used where the issuer fails."""
    failure_mode_allow: bool = False
    """Let requests pass where the issuer fails."""
    status: Annotated[int, Ge(400), Le(499)] = 401
    """The answer to a bad token; 403 in NGINX's example."""
    status_on_error: Annotated[int, Ge(400), Le(599)] = 500
    """The answer where the issuer fails; NGINX's for a question that comes to nothing."""

    def check(self) -> None:
        """Raise `SettingError` where settings do not go together."""
        if self.timeout <= 0:
            raise SettingError("timeout", "must be longer than 0s")
        if self.stale_if_error and not (self.ttl or self.negative_ttl):
            raise SettingError("stale_if_error", "needs a `ttl`: nothing is kept without")

    def build(self, *, around: Surroundings) -> Oauth2IntrospectionState:
        """Nothing is kept, and nobody asks."""
        return Oauth2IntrospectionState(self, around)


class Oauth2IntrospectionState(FilterState):
    """What one proxy knows of tokens, and who has gone to ask."""

    delays = True
    draws = False

    def __init__(self, settings: Oauth2Introspection, around: Surroundings) -> None:
        """Nothing is kept, and nobody asks."""
        self.timeout = settings.timeout
        self.coalesce = settings.coalesce
        self.stale_if_error = settings.stale_if_error
        self._checks = marked("routes", settings.routes, around.routes)
        self._missing = UNAUTHORIZED
        self._inactive = UNAUTHORIZED._replace(status=settings.status)
        self._failed = (
            FAILED_OPEN
            if settings.failure_mode_allow
            else Verdict(settings.status_on_error, int(Flag.auth_unavailable), decision=Decision.FAILED_CLOSED)
        )
        self._lifetimes_ns = (settings.ttl if settings.negative_ttl is None else settings.negative_ttl, settings.ttl)
        """How long answers are believed, of bad tokens and of good ones."""
        self._answers: Lru[Answer] = Lru(settings.size)
        self._flights = Flights()

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """What is known of the token; else ask, or wait for who has asked."""
        if not self._checks[asked.route]:
            return PASS
        credential = asked.credential
        if credential == NOTHING:
            return self._missing
        answer = self._answers.get(credential, now_ns)
        if answer is not None and now_ns < answer.fresh_until_ns:
            return HIT if answer.is_active else self._inactive
        if self.coalesce:
            return self._ask_once(now_ns, asked, answer)
        return Verdict(then=Then.ASK, key=credential)

    def answered(self, now_ns: int, asked: Asked, status: int, draw: Draw) -> Verdict:  # noqa: ARG002
        """What the issuer says, or what follows where it says nothing."""
        credential = asked.credential
        if self.coalesce:
            self._flights.end(credential, now_ns, status, self.timeout)
        if status != 200:
            return self._without_issuer(self._answers.get(credential, now_ns))
        is_active = asked.is_valid
        lifetime_ns = self._lifetimes_ns[is_active]
        if lifetime_ns:
            fresh_until_ns = now_ns + lifetime_ns
            self._answers.put(credential, Answer(is_active, fresh_until_ns), fresh_until_ns + self.stale_if_error)
        return MISS if is_active else self._inactive

    def _ask_once(self, now_ns: int, asked: Asked, old: Answer | None) -> Verdict:
        """Ask, or wait for who has asked, or have what that one got at this very instant, kept or not."""
        credential = asked.credential
        if self._flights.is_on(credential):
            return Verdict(then=Then.WAIT, key=credential)
        is_well = self._flights.ended(credential, now_ns)
        if is_well is None:
            self._flights.begin(credential, now_ns)
            return Verdict(then=Then.ASK, key=credential)
        if not is_well:
            return self._without_issuer(old)
        return HIT if asked.is_valid else self._inactive

    def _without_issuer(self, old: Answer | None) -> Verdict:
        """What an old answer says, or what is to be done without any."""
        if old is None:
            return self._failed
        return STALE if old.is_active else self._inactive
