"""Rules of who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from meshsim.flags import Flag
from meshsim.policies.filters.authorization_rule import AuthorizationRule, AuthorizationRuleState
from meshsim.policies.filters.filter import NOTHING, PASS, Decision, Filter, FilterState, Verdict
from meshsim.registry import SettingError, policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.filters.filter import Asked, Surroundings
    from meshsim.policies.load_balancing.balancer import Draw

FORBIDDEN = Verdict(403, int(Flag.forbidden), decision=Decision.DENIED)
SHADOWED = Verdict(decision=Decision.SHADOWED)
ALLOWED = -2
"""What `_refusing` says where nothing refuses."""
Numbered = tuple[int, AuthorizationRuleState]


@policy
class Authorization(Filter):
    """Answer 403 by rules of who may do what.

    Whatever their order: a `deny` that matches refuses. Otherwise, if there is any `allow`, one of them must match; if there is none, all
    others pass. So the first `allow` that is written shuts everybody else out, and taking the last one away lets everybody in.

    Rules with `shadow` are judged by themselves in the same way, and refuse nothing: a request that passes is counted as shadowed
    where they would have refused it, had they been the only ones.

    Source: Istio 1.19, reference of AuthorizationPolicy (DENY before ALLOW) and task "Dry Run" (istio.io/dry-run); Envoy,
    source/extensions/filters/http/rbac/rbac_filter.cc (rules and shadow_rules; Envoy's log shows no flag; commit 01f134c).
    """

    rules: tuple[AuthorizationRule, ...] = ()
    """The rules, in any order."""
    default: Literal["allow", "deny"] | None = None
    """What becomes of requests that no rule matches; where absent they are refused if there is any `allow`. `deny` without any rule
    refuses all."""

    def check(self) -> None:
        """Raise `SettingError` where nothing would ever be refused or counted."""
        if not self.rules and self.default != "deny":
            raise SettingError("rules", "write one at least, or `default: deny`: without, everybody passes")

    def build(self, *, around: Surroundings) -> AuthorizationState:
        """The verdict for each route and consumer, worked out beforehand."""
        return AuthorizationState(self, around)


class AuthorizationState(FilterState):
    """The verdicts, worked out beforehand."""

    draws = False

    def __init__(self, settings: Authorization, around: Surroundings) -> None:
        """The verdict for each route and consumer, worked out beforehand."""
        self.default = settings.default
        rules = [(number, rule.build(around=around)) for number, rule in enumerate(settings.rules)]
        enforced = [one for one in rules if not one[1].shadow]
        shadow = [one for one in rules if one[1].shadow]
        routes = (*range(len(around.routes)), -1)
        consumers = range(len(around.consumers))
        self._verdicts = [[self._verdict(enforced, shadow, route, consumer) for consumer in consumers] for route in routes]
        """By route, the last for none at all, and consumer."""

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`, or 403."""
        return self._verdicts[asked.route][asked.consumer]

    def _verdict(self, enforced: Sequence[Numbered], shadow: Sequence[Numbered], route: int, consumer: int) -> Verdict:
        refusing = _refusing(enforced, self.default, route, consumer)
        if refusing != ALLOWED:
            return FORBIDDEN._replace(rule=refusing)
        looking_on = _refusing(shadow, None, route, consumer)
        return PASS if looking_on == ALLOWED else SHADOWED._replace(rule=looking_on)


def _refusing(rules: Sequence[Numbered], default: str | None, route: int, consumer: int) -> int:
    """The first rule that refuses such requests, `NOTHING` where they are refused since none allows them, or else `ALLOWED`."""
    concerned = [(number, rule) for number, rule in rules if rule.concerns(route, consumer)]
    if concerned:
        return next((number for number, rule in concerned if rule.action == "deny"), ALLOWED)
    is_refused = default == "deny" or (default is None and any(rule.action == "allow" for _, rule in rules))
    return NOTHING if is_refused else ALLOWED
