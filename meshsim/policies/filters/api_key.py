"""Who has no API key is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.filters.denying import UNAUTHORIZED, marked
from meshsim.policies.filters.filter import NOTHING, PASS, Filter, FilterState
from meshsim.registry import policy
from meshsim.units import Duration

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked, Surroundings, Verdict
    from meshsim.policies.load_balancing.balancer import Draw


@policy
class ApiKey(Filter):
    """Answer 401 to requests without an API key, or with one that nobody knows.

    A key is looked up in a table in the proxy's memory, which takes well under a microsecond, whoever it belongs to; nobody is asked. (Kong
    reads a key from its database once and keeps it, and that there is none too.) A good key on a route that is not its own is no matter
    of authentication: Envoy's `allowed_clients` answers 403 to that, here the filter `authorization` does.

    Source: Envoy, source/extensions/filters/http/api_key_auth/api_key_auth.cc (onDenied; Envoy's log shows no flag; commit 03503b3); Kong,
    kong/plugins/key-auth/handler.lua (do_authentication; commit 00239d0).
    """

    routes: tuple[str, ...] = ()
    """Routes that need a key; all where absent."""
    verify_time: Duration = 0
    """How long a worker is at work for each key."""

    def build(self, *, around: Surroundings) -> ApiKeyState:
        """Nothing is remembered."""
        return ApiKeyState(self, around)


class ApiKeyState(FilterState):
    """Which routes need a key; no key is remembered."""

    draws = False

    def __init__(self, settings: ApiKey, around: Surroundings) -> None:
        """Nothing is remembered."""
        self.delays = settings.verify_time > 0
        self._checks = marked("routes", settings.routes, around.routes)
        self._known = PASS._replace(work_ns=settings.verify_time)
        self._unknown = UNAUTHORIZED._replace(work_ns=settings.verify_time)

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`, or 401."""
        if not self._checks[asked.route]:
            return PASS
        if asked.credential == NOTHING:
            return UNAUTHORIZED
        return self._known if asked.is_valid else self._unknown
