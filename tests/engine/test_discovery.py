"""How callers learn of instances that come and go: pushes, lookups, and at once; changes and times are written down."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from meshsim.distributions import Constant, Exponential
from meshsim.engines.reference.control.discovery import AtOnce, Lookups, Push
from meshsim.engines.reference.control.registry import Registry
from meshsim.engines.reference.time.clock import Clock
from meshsim.plan import NONE, Discovery
from meshsim.randomness import PROPAGATION, call_key, uniform

if TYPE_CHECKING:
    from meshsim.distributions import Distribution

MS = 1_000_000
ISTIO = Discovery(debounce_ns=100 * MS, debounce_max_ns=250 * MS, propagation=None, dns_refresh_ns=0)
AT_ONCE = Discovery(debounce_ns=0, debounce_max_ns=0, propagation=None, dns_refresh_ns=0)
DNS = replace(AT_ONCE, dns_refresh_ns=1000 * MS)


@dataclass(eq=False)
class Caller:
    """A view of which nothing is there but whom it has been told of, and when: `(ms, index)`."""

    clock: Clock
    key: int
    service: int
    members: list[bool]
    left: list[tuple[float, int]] = field(default_factory=list)
    joined: list[tuple[float, int]] = field(default_factory=list)

    @property
    def luck(self) -> int:
        return call_key(self.key, self.service)

    def join(self, index: int) -> None:
        self._tell(index, self.joined, is_there=True)

    def leave(self, index: int) -> None:
        self._tell(index, self.left, is_there=False)

    def _tell(self, index: int, told: list[tuple[float, int]], *, is_there: bool) -> None:
        if self.members[index] != is_there:
            self.members[index] = is_there
            told.append((self.clock.now_ns / MS, index))


class Bench:
    """Services of four instances, whose lists change by hand, and whoever teaches callers about them."""

    def __init__(self, discovery: Discovery | None, services: int = 1) -> None:
        self.clock = Clock()
        self.doors: list[Any] = [
            tuple(SimpleNamespace(index=index, is_listed=True, is_gone=False) for index in range(4)) for _ in range(services)
        ]
        self.registries = [Registry(self.clock, doors, 4, NONE) for doors in self.doors]
        self.teacher = self.teach(discovery)

    def teach(self, discovery: Discovery | None) -> Any:
        return AtOnce() if discovery is None else (Lookups if discovery.dns_refresh_ns else Push)(self.clock, discovery)

    def caller(self, key: int = 1, service: int = 0, teacher: Any = None) -> Caller:
        made = Caller(self.clock, key, service, self.registries[service].listed())
        (teacher or self.teacher).follow(made, self.registries[service])
        return made

    def leave(self, at_ms: float, index: int, service: int = 0) -> None:
        self.clock.call_at(round(at_ms * MS), lambda: self.registries[service].remove(self.doors[service][index]))

    def join(self, at_ms: float, index: int, service: int = 0) -> None:
        self.clock.call_at(round(at_ms * MS), lambda: self.registries[service].add(self.doors[service][index]))

    def run(self, until_ms: float = 10_000) -> None:
        """To this instant: lookups never end."""
        self.clock.call_at(round(until_ms * MS), lambda: setattr(self.clock, "is_over", True))
        self.clock.run_all(lambda: None)


def delay_ms(distribution: Distribution, key: int, push: int) -> float:
    """How long a push, numbered from 1, is on its way to a proxy."""
    return round(distribution.quantile(uniform(key, PROPAGATION, push))) / MS


class TestDebounce:
    def test_changes_are_gathered_until_it_is_quiet(self):
        bench = Bench(ISTIO)
        caller = bench.caller()
        for at_ms, index in ((0, 0), (60, 1), (120, 2)):
            bench.leave(at_ms, index)
        bench.join(130, 2)
        bench.leave(400, 3)
        bench.run()
        assert caller.left == [(230, 0), (230, 1), (500, 3)]
        assert caller.joined == []  # what has come back by then was never away

    def test_a_list_that_never_rests_is_pushed_when_the_longest_time_has_passed_and_it_is_looked_at(self):
        """Looks at 100 and, a quiet time after the latest change, at 160, 220 and 280: the first after the 250 ms are over."""
        bench = Bench(ISTIO)
        caller = bench.caller()
        for at_ms, index in ((0, 0), (60, 1), (120, 2), (180, 3)):
            bench.leave(at_ms, index)
        bench.join(240, 0)
        bench.join(310, 1)
        bench.run()
        assert caller.left == [(280, 1), (280, 2), (280, 3)]
        assert caller.joined == [(410, 1)]

    def test_the_longest_time_may_be_shorter_than_the_quiet_one(self):
        bench = Bench(replace(ISTIO, debounce_max_ns=10 * MS))
        caller = bench.caller()
        bench.leave(0, 0)
        bench.leave(90, 1)
        bench.run()
        assert caller.left == [(100, 0), (100, 1)]

    def test_without_a_quiet_time_what_changes_in_one_instant_goes_together(self):
        bench = Bench(replace(AT_ONCE, propagation=Exponential(mean=100 * MS)))
        caller = bench.caller()
        bench.leave(5, 0)
        bench.leave(5, 1)
        bench.leave(5.001, 2)
        bench.run()
        together, also, apart = (at_ms for at_ms, _ in caller.left)
        assert 5 < together == also < apart

    def test_a_service_that_changes_holds_up_the_news_of_others(self):
        bench = Bench(ISTIO, services=2)
        callers = [bench.caller(service=service) for service in (0, 1)]
        bench.leave(0, 0, service=0)
        bench.leave(90, 1, service=1)
        bench.run()
        assert [caller.left for caller in callers] == [[(190, 0)], [(190, 1)]]


class TestPropagation:
    SLOW = Exponential(mean=100 * MS)
    LATE = replace(AT_ONCE, propagation=SLOW)

    def test_each_proxy_has_a_delay_of_its_own_for_each_push(self):
        """Mean and median of 800 exponential delays within 5 standard errors: a false alarm once in a million seeds."""
        bench = Bench(self.LATE)
        callers = [bench.caller(key) for key in range(400)]
        bench.leave(0, 0)
        bench.leave(5000, 1)
        bench.run()
        delays = [at_ms - 5000 * push for caller in callers for push, (at_ms, _) in enumerate(caller.left)]
        assert len(set(delays)) == 800
        assert sum(delays) / 800 == pytest.approx(100, abs=5 * 100 / 800**0.5)
        assert sum(delay < 100 * 0.6931 for delay in delays) == pytest.approx(400, abs=5 * (800 / 4) ** 0.5)
        assert callers[7].left == [(delay_ms(self.SLOW, 7, 1), 0), (5000 + delay_ms(self.SLOW, 7, 2), 1)]

    def test_a_push_brings_a_proxy_all_its_news_at_once(self):
        bench = Bench(self.LATE, services=2)
        callers = [[bench.caller(key, service) for service in (0, 1)] for key in range(20)]
        for service in (0, 1):
            bench.leave(0, 3, service)
        bench.run()
        assert all(first.left == second.left for first, second in callers)

    @pytest.mark.parametrize("services", [1, 2])
    def test_no_push_overtakes_an_older_one(self, services):
        """With delays of 100 ms in the mean a push 10 ms later comes first with odds of exp(-0.1) / 2 = 0.45 unless it is held back."""
        bench = Bench(self.LATE, services)
        callers = [[bench.caller(key, service) for service in range(services)] for key in range(100)]
        bench.leave(0, 0)
        bench.leave(10, 1, service=services - 1)
        bench.run()
        held_back = 0
        for key, views in enumerate(callers):
            first_ms, second_ms = delay_ms(self.SLOW, key, 1), 10 + delay_ms(self.SLOW, key, 2)
            assert views[0].left[0] == (first_ms, 0)
            assert views[-1].left[-1] == (pytest.approx(max(first_ms, second_ms)), 1)
            held_back += second_ms < first_ms
        assert 20 < held_back < 70

    def test_an_older_push_does_not_undo_a_newer_one(self):
        bench = Bench(self.LATE)
        callers = [bench.caller(key) for key in range(100)]
        bench.leave(0, 0)
        bench.join(1, 0)
        bench.run()
        assert all(caller.members == [True] * 4 for caller in callers)


class TestLookups:
    def test_each_caller_asks_at_a_phase_of_its_own(self):
        bench = Bench(DNS)
        callers = [bench.caller(key) for key in range(50)]
        bench.leave(1300, 2)
        bench.join(4300, 2)
        bench.run()
        for caller in callers:
            phase_ms = round(uniform(caller.luck, PROPAGATION) * 1000 * MS) / MS
            later_ms = 1000 if phase_ms < 300 else 0
            assert caller.left == [(pytest.approx(1000 + later_ms + phase_ms), 2)]
            assert caller.joined == [(pytest.approx(4000 + later_ms + phase_ms), 2)]

    def test_news_are_half_an_interval_old_in_the_mean(self):
        """Uniform over 1 s, so the mean of 400 is within 5 standard errors of 500 ms but once in a million seeds."""
        bench = Bench(DNS)
        callers = [bench.caller(key) for key in range(400)]
        bench.leave(2700, 0)
        bench.run()
        late = [caller.left[0][0] - 2700 for caller in callers]
        assert 0 <= min(late) < max(late) <= 1000
        assert sum(late) / 400 == pytest.approx(500, abs=5 * 1000 / (12 * 400) ** 0.5)

    def test_services_are_looked_up_at_different_times(self):
        bench = Bench(DNS, services=2)
        first, second = bench.caller(1, 0), bench.caller(1, 1)
        for service in (0, 1):
            bench.leave(1000, 0, service)
        bench.run()
        assert first.left != second.left

    def test_what_is_back_before_the_next_lookup_was_never_away(self):
        bench = Bench(DNS)
        callers = [bench.caller(key) for key in range(50)]
        bench.leave(2000, 0)
        bench.join(2250, 0)
        bench.run()
        away = [caller for caller in callers if caller.left]
        assert 0 < len(away) < 50
        assert all(2000 <= one.left[0][0] <= 2250 and one.joined[0][0] == pytest.approx(one.left[0][0] + 1000) for one in away)


def test_without_discovery_every_change_is_known_in_its_instant():
    bench = Bench(None, services=2)
    callers = [bench.caller(service=service) for service in (0, 0, 1)]
    bench.leave(3, 1)
    bench.join(3.5, 1)
    bench.leave(4, 2, service=1)
    bench.run()
    assert [caller.left for caller in callers] == [[(3, 1)], [(3, 1)], [(4, 2)]]
    assert [caller.joined for caller in callers] == [[(3.5, 1)], [(3.5, 1)], []]


def test_one_list_is_taught_to_callers_of_several_kinds_each_in_its_way():
    bench = Bench(ISTIO)
    late = replace(AT_ONCE, propagation=Constant(value=30 * MS))
    teachers = [bench.teacher, bench.teach(late), bench.teach(None), bench.teach(DNS)]
    callers = [bench.caller(teacher=teacher) for teacher in teachers]
    bench.leave(50, 0)
    bench.run()
    told_ms = [caller.left[0][0] for caller in callers]
    assert told_ms[:3] == [150, 80, 50]
    assert 50 <= told_ms[3] <= 1050
