"""Several rate limits for one request: the strictest wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.flags import Flag
from meshsim.policies.admission.admission import REFUSED
from meshsim.policies.filters.filter import NOTHING, PASS, Decision, Verdict
from meshsim.policies.filters.rate_limit_rule import NO_MATCH
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.policies.admission.admission import AdmissionState
    from meshsim.policies.filters.filter import Asked
    from meshsim.policies.filters.rate_limit_rule import RateLimitRuleState

RL = int(Flag.RL)


def shadowed(rule: int) -> Verdict:
    """Go on, but this rule would have refused."""
    return Verdict(decision=Decision.SHADOWED, rule=rule)


class Rules:
    """Rules with their counters, which all have to admit a request.

    Args:
        rules: Built.
        is_in_order: Whether each takes its share before the next is asked; else none takes anything unless all admit.
        status: The answer to what is refused.
        has_headers: Whether that says when to come again.
    """

    __slots__ = ("_has_headers", "_is_in_order", "_limited", "limited", "rules", "shadowed")

    def __init__(
        self, rules: tuple[RateLimitRuleState, ...], status: int, *, is_in_order: bool = False, has_headers: bool = False
    ) -> None:
        self.rules = rules
        self._is_in_order = is_in_order
        self._has_headers = has_headers
        self._limited = [Verdict(status, RL, decision=Decision.LIMITED, rule=number) for number in range(len(rules))]
        self.limited = [0] * len(rules)
        """How many each rule has refused."""
        self.shadowed = [0] * len(rules)
        """How many each rule would have refused, had it not only looked on."""

    def ask(self, now_ns: int, asked: Asked) -> Verdict:
        """`PASS`, a delay, or the answer to what is too much."""
        if self._is_in_order or len(self.rules) == 1:
            return self._take(now_ns, asked)
        refusal = self._look(now_ns, asked)
        return self._take(now_ns, asked) if refusal is None else refusal

    def refusing(self, now_ns: int, asked: Asked) -> list[tuple[int, int, int]]:
        """Number of each rule that would refuse the request now, of its counter, and for how long it will."""
        found = []
        for number, rule in enumerate(self.rules):
            index = NO_MATCH if rule.shadow else rule.index(asked)
            if index != NO_MATCH and (after_ns := rule.counter(index).retry_after_ns(now_ns, rule.cost)):
                found.append((number, index, after_ns))
        return found

    def limit_verdict(self, rule: int, after_ns: int) -> Verdict:
        """The answer to what a rule refuses for so long; Retry-After tells whole seconds, rounded up."""
        if not self._has_headers:
            return self._limited[rule]
        return self._limited[rule]._replace(retry_after_ns=-(-after_ns // NS_PER_S) * NS_PER_S)

    def _look(self, now_ns: int, asked: Asked) -> Verdict | None:
        """The refusal, if any rule refuses; then nobody takes anything. All that refuse count it."""
        longest_ns = strictest = 0
        for number, rule in enumerate(self.rules):
            index = NO_MATCH if rule.shadow else rule.index(asked)
            if index == NO_MATCH:
                continue
            counter = rule.counter(index)
            after_ns = counter.retry_after_ns(now_ns, rule.cost)
            if after_ns:
                counter.admit(now_ns, rule.cost)  # takes nothing; but there are counters that count refusals too
                self.limited[number] += 1
                if after_ns > longest_ns:
                    longest_ns, strictest = after_ns, number
        return self.limit_verdict(strictest, longest_ns) if longest_ns else None

    def _take(self, now_ns: int, asked: Asked) -> Verdict:
        """Take from one rule after the other, until one refuses."""
        delay_ns = slowest = 0
        only_looks_on = NOTHING
        for number, rule in enumerate(self.rules):
            index = rule.index(asked)
            if index == NO_MATCH:
                continue
            counter = rule.counter(index)
            wait_ns = counter.wait_ns(now_ns, rule.cost)
            if rule.shadow:
                if wait_ns == REFUSED:
                    self.shadowed[number] += 1
                    only_looks_on = number if only_looks_on == NOTHING else only_looks_on
            elif wait_ns == REFUSED:
                return self._refuse(now_ns, number, rule, counter)
            elif wait_ns > delay_ns:
                delay_ns, slowest = wait_ns, number
        if delay_ns:
            return Verdict(delay_ns=delay_ns, decision=Decision.DELAYED, rule=slowest)
        return PASS if only_looks_on == NOTHING else shadowed(only_looks_on)

    def _refuse(self, now_ns: int, number: int, rule: RateLimitRuleState, counter: AdmissionState) -> Verdict:
        self.limited[number] += 1
        return self.limit_verdict(number, counter.retry_after_ns(now_ns, rule.cost) if self._has_headers else 0)
