"""Rate limits that a proxy counts by itself between two looks at the counts of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.policies.admission.fixed_window import FixedWindow
from meshsim.policies.filters.filter import NOTHING, PASS, Verdict
from meshsim.policies.filters.rate_limit_rule import NO_MATCH, RateLimitRuleState
from meshsim.policies.filters.rate_limit_rules import Rules, shadowed
from meshsim.policies.filters.shared_counter import LocalCounter, Place, SharedCounter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.filters.filter import Asked


class SyncedRules:
    """Rules of fixed windows, by what one replica knows of their counts.

    Args:
        rules: Built.
        answers: Words refusals, and takes down which rule they are of.
        shared: What all replicas have in common.
        interval_ns: Between two syncs.
        time_zero_ns: Time of day at time zero.
    """

    __slots__ = ("_answers", "_rules", "_zero_ns", "local")

    def __init__(
        self,
        rules: tuple[RateLimitRuleState, ...],
        answers: Rules,
        shared: dict[str, Any],
        interval_ns: int,
        time_zero_ns: int = 0,
    ) -> None:
        self._rules = rules
        self._zero_ns = time_zero_ns
        self._answers = answers
        self.local = LocalCounter(shared.setdefault("counter", SharedCounter()), interval_ns)

    def judge(self, now_ns: int, asked: Asked) -> Verdict | None:
        """The verdict by what is known here; None where a count has to be read first."""
        self.local.sync_if_due(now_ns)
        places = self._places(now_ns, asked)
        return self._decide(now_ns, places, ()) if all(self.local.knows(place) for place in places) else None

    def read(self, now_ns: int, asked: Asked) -> Verdict:
        """The verdict after the counts have been read; what was read is counted in the store at once, as by Redis' INCR."""
        self.local.sync_if_due(now_ns)
        places = self._places(now_ns, asked)
        unknown = [place for place in places if not self.local.knows(place)]
        for place in unknown:
            self.local.read(now_ns, place)
        return self._decide(now_ns, places, unknown)

    def _decide(self, now_ns: int, places: Sequence[Place], read: Sequence[Place]) -> Verdict:
        only_looks_on = NOTHING
        longest_ns = strictest = 0
        for place in places:
            rule, window = self._rules[place.rule], self._window(place.rule)
            if self.local.count(place) + rule.cost <= window.requests:
                continue
            if rule.shadow:
                only_looks_on = place.rule if only_looks_on == NOTHING else only_looks_on
                self._answers.shadowed[place.rule] += 1
            else:
                self._answers.limited[place.rule] += 1
                after_ns = window.window - (now_ns + self._zero_ns) % window.window
                if after_ns > longest_ns:
                    longest_ns, strictest = after_ns, place.rule
        if longest_ns:
            return self._answers.limit_verdict(strictest, longest_ns)
        for place in places:
            self.local.add(now_ns, place, self._rules[place.rule].cost, is_told=place in read)
        return PASS if only_looks_on == NOTHING else shadowed(only_looks_on)

    def _places(self, now_ns: int, asked: Asked) -> list[Place]:
        """Where the request counts."""
        return [
            Place(number, index, (now_ns + self._zero_ns) // self._window(number).window)
            for number, rule in enumerate(self._rules)
            if (index := rule.index(asked)) != NO_MATCH
        ]

    def _window(self, number: int) -> FixedWindow:
        limit = self._rules[number].limit
        assert isinstance(limit, FixedWindow)  # noqa: S101 — the filter's `check` has looked
        return limit
