"""One rule of who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from meshsim.own_policies import State
from meshsim.policies.filters.denying import marked
from meshsim.registry import Policy, family, policy

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Surroundings


class AuthorizationRuleState(State):
    """Whom the rule concerns, by numbers."""

    __slots__ = ("_is_consumer", "_is_route", "action", "shadow")

    def __init__(self, settings: AuthorizationRule, around: Surroundings) -> None:
        """Names become numbers."""
        self.action = settings.action
        self.shadow = settings.shadow
        self._is_route = marked("routes", settings.routes, around.routes)
        self._is_consumer = marked("consumers", settings.consumers, around.consumers)

    def concerns(self, route: int, consumer: int) -> bool:
        """Whether requests on this route (-1 for none) and of this consumer match."""
        return self._is_route[route] and self._is_consumer[consumer]


@family("authorization_rule", AuthorizationRuleState)
class AccessRule(Policy):
    """Says which requests it applies to, and whether they pass."""

    def build(self, *, around: Surroundings) -> AuthorizationRuleState:
        """With numbers in place of names.

        Args:
            around: What its proxy knows.
        """
        raise NotImplementedError


@policy
class AuthorizationRule(AccessRule):
    """Let the requests of certain consumers on certain routes pass, or refuse them.

    A request must match both where both are given. One that matches no route of the gateway, or has no consumer, is subject only to rules
    that name no route, or no consumer.

    Source: Istio 1.19, reference of AuthorizationPolicy: the parts of a rule (`from`, `to`) must all match, one of the values of each.
    """

    action: Literal["allow", "deny"]
    """What becomes of them."""
    routes: tuple[str, ...] = ()
    """Only requests on these routes; all where absent."""
    consumers: tuple[str, ...] = ()
    """Only requests of these consumers; all where absent."""
    shadow: bool = False
    """Only count what it would refuse, and refuse nothing."""

    def build(self, *, around: Surroundings) -> AuthorizationRuleState:
        """Names become numbers."""
        return AuthorizationRuleState(self, around)
