"""Queue disciplines, by plain calls: who leaves the queue next."""

from __future__ import annotations

import pytest

from meshsim.policies.queueing import AdaptiveLifo, Fifo, Lifo, Priority, Waiting


class Named(Waiting):
    """One that a test can name."""

    def __init__(self, name, **facts):
        super().__init__(**facts)
        self.name = name


def queue_of(discipline, *names, **facts):
    made = discipline.build()
    for name in names:
        made.push(Named(name, **facts))
    return made


def served(made, count):
    return "".join(made.pop(0).name for _ in range(count))


def test_fifo_serves_who_has_waited_longest():
    assert served(queue_of(Fifo(), *"abc"), 3) == "abc"


def test_lifo_serves_who_has_come_last_also_among_those_that_come_in_between():
    made = queue_of(Lifo(), *"abc")

    assert served(made, 1) == "c"
    made.push(Named("d"))
    assert served(made, 3) == "dba"


@pytest.mark.parametrize("discipline", [Fifo(), Lifo(), AdaptiveLifo(switch_threshold=9), Priority()])
def test_who_has_left_by_himself_is_not_served(discipline):
    made = discipline.build()
    everybody = [Named(name) for name in "abc"]
    for one in everybody:
        made.push(one)

    made.remove(everybody[1])

    assert sorted(served(made, 2)) == ["a", "c"]


class TestAdaptiveLifo:
    def test_the_last_is_served_while_so_many_others_are_left_behind(self):
        """HHVM looks at the jobs that are left when one has been taken: with 5 waiting and a threshold of 3, at 4 and at 3."""
        assert served(queue_of(AdaptiveLifo(switch_threshold=3), *"abcde"), 5) == "edabc"

    def test_a_threshold_of_nobody_is_lifo(self):
        assert served(queue_of(AdaptiveLifo(switch_threshold=0), *"abc"), 3) == "cba"

    def test_a_short_queue_is_served_first_come_first_served(self):
        assert served(queue_of(AdaptiveLifo(switch_threshold=3), *"abc"), 3) == "abc"


class TestPriority:
    def test_the_more_important_go_first_and_each_class_in_its_order(self):
        made = Priority().build()
        for name, criticality in (("a", 3), ("b", 1), ("c", 0), ("d", 1), ("e", 2), ("f", 0)):
            made.push(Named(name, criticality=criticality))

        assert served(made, 6) == "cfbdea"

    def full(self, *, push_out=True, newcomer=1):
        made = Priority(push_out=push_out).build()
        for name, criticality in (("a", 1), ("b", 3), ("c", 3), ("d", 2)):
            made.push(Named(name, criticality=criticality))
        left = made.push_out(Named("new", criticality=newcomer))
        return None if left is None else left.name

    def test_the_last_of_the_least_important_class_has_to_go(self):
        assert self.full() == "c"

    def test_nobody_has_to_go_for_his_equal_or_unless_it_is_said(self):
        assert self.full(newcomer=3) is None
        assert self.full(push_out=False) is None

    def test_who_has_been_worked_on_stays(self):
        made = Priority(push_out=True).build()
        for name, is_new in (("a", True), ("b", False)):
            made.push(Named(name, criticality=3, is_new=is_new))

        assert made.push_out(Named("new", criticality=0)).name == "a"


def test_other_disciplines_push_nobody_out():
    assert queue_of(Fifo(), *"abc").push_out(Named("new", criticality=0)) is None
