"""Another service says who may pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from meshsim.flags import Flag
from meshsim.policies.filters.denying import marked
from meshsim.policies.filters.filter import PASS, Decision, Filter, FilterState, Then, Verdict
from meshsim.registry import SettingError, policy
from meshsim.units import Duration, Share

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked, Surroundings
    from meshsim.policies.load_balancing.balancer import Draw

UAEX = int(Flag.UAEX)
ASK = Verdict(then=Then.ASK)
FAILED_OPEN = Verdict(decision=Decision.FAILED_OPEN)


@policy
class ExtAuthz(Filter):
    """Ask an authorization service for each request, and answer 403 (flag UAEX) to those that it does not let pass.

    Nothing is remembered: the service has as many requests as the proxy, and each of them waits for it. It lets those pass that bring a good
    credential. What it answers itself is the client's answer too, a 429 for one; but 5xx, an answer that does not come within
    `timeout`, and a broken connection are failures. Then everything is refused, with `status_on_error` and the same flag UAEX, so
    that the two look alike in the log; or everything passes, bad credentials too (`failure_mode_allow`). Envoy does not ask again
    unless it is told to.

    Source: Envoy, source/extensions/filters/http/ext_authz/ext_authz.cc (onComplete; commit 008b93a), source/extensions/filters/common/
    ext_authz/ext_authz_http_impl.cc (toResponse; 9c276e3), documentation of the filter (200ms), issue 14001 (5xx is a failure); Istio's
    CUSTOM AuthorizationPolicy is made of it.
    """

    service: str
    """The authorization service: one of the scenario's, or `service/operation`."""
    routes: tuple[str, ...] = ()
    """Routes for which it is asked; all where absent."""
    timeout: Duration = 200_000_000
    """How long to wait for it."""
    failure_mode_allow: bool = False
    """Let requests pass where it fails."""
    status_on_error: Annotated[int, Ge(400), Le(599)] = 403
    """The answer where it fails."""
    status: Annotated[int, Ge(300), Le(599)] = 403
    """The answer to bad credentials, or none; a service may say 401, or send clients to a page by 302."""
    filter_enabled: Share = 1.0
    """The share of requests for which it is asked; others pass."""

    def check(self) -> None:
        """Raise `SettingError` where it would never have time to answer."""
        if self.timeout <= 0:
            raise SettingError("timeout", "must be longer than 0s")

    def build(self, *, around: Surroundings) -> ExtAuthzState:
        """Nothing is remembered."""
        return ExtAuthzState(self, around)


class ExtAuthzState(FilterState):
    """What follows from the service's answers, none of which is remembered."""

    delays = True

    def __init__(self, settings: ExtAuthz, around: Surroundings) -> None:
        """Nothing is remembered."""
        self.filter_enabled = settings.filter_enabled
        self.draws = settings.filter_enabled < 1.0
        self._checks = marked("routes", settings.routes, around.routes)
        self._denied = Verdict(settings.status, UAEX, decision=Decision.DENIED)
        self._failed = (
            FAILED_OPEN
            if settings.failure_mode_allow
            else Verdict(settings.status_on_error, UAEX, decision=Decision.FAILED_CLOSED)
        )

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """Ask."""
        if not self._checks[asked.route] or (self.draws and draw.uniform() >= self.filter_enabled):
            return PASS
        return ASK

    def answered(self, now_ns: int, asked: Asked, status: int, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`, or an answer with UAEX."""
        if status == 200:
            return PASS if asked.is_valid and asked.credential >= 0 else self._denied
        if status == 0 or status >= 500:
            return self._failed
        return Verdict(status, UAEX, decision=Decision.DENIED)
