"""Queue disciplines, by plain calls: who leaves the queue next."""

from __future__ import annotations

import pytest

from meshsim.policies.queueing import AdaptiveLifo, EarliestDeadlineFirst, Fair, Fifo, Lifo, Priority, Waiting


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


@pytest.mark.parametrize(
    "discipline", [Fifo(), Lifo(), AdaptiveLifo(switch_threshold=9), Priority(), EarliestDeadlineFirst(), Fair()]
)
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


class TestEarliestDeadlineFirst:
    def of(self, *waiting):
        made, everybody = EarliestDeadlineFirst().build(), [Named(name, deadline_ns=deadline) for name, deadline in waiting]
        for one in everybody:
            made.push(one)
        return made, everybody

    def test_the_most_urgent_go_first_and_those_without_a_deadline_last_in_their_order(self):
        made, _ = self.of(("a", -1), ("b", 70), ("c", 30), ("d", 70), ("e", -1))

        assert served(made, 5) == "cbdae"

    def test_those_that_have_left_are_passed_over_and_tidied_away(self):
        made, everybody = self.of(*((name, 10 * place) for place, name in enumerate("abcdefgh")))
        for one in (everybody[0], everybody[3], everybody[4]):
            made.remove(one)
        assert served(made, 2) == "bc"
        made.remove(everybody[6])
        assert served(made, 2) == "fh"

    def test_it_keeps_nobody_for_ever(self):
        made, everybody = self.of(*((str(place), place) for place in range(100)))
        for place, one in enumerate(everybody, start=1):
            made.remove(one)
            assert len(made._heap) <= 2 * (100 - place)  # noqa: SLF001 — nothing else shows it


class TestFair:
    def of(self, names, **settings):
        """Upper case is one consumer's, lower case another's, and digits a third's."""
        made = Fair(**settings).build()
        for name in names:
            made.push(Named(name, consumer=self.consumer(name)))
        return made

    def consumer(self, name):
        return 2 if name.isdigit() else int(name.islower())

    def test_consumers_take_turns_however_many_of_each_wait(self):
        assert served(self.of("ABCDa1b"), 7) == "Aa1BbCD"

    def test_who_comes_back_takes_his_turn_after_those_that_wait(self):
        made = self.of("ABa")
        assert served(made, 2) == "Aa"
        made.push(Named("b", consumer=1))

        assert served(made, 2) == "Bb"

    def pushed_out(self, names, newcomer, **settings):
        left = self.of(names, **settings).push_out(Named(newcomer, consumer=self.consumer(newcomer)))
        return None if left is None else left.name

    def test_in_a_full_queue_the_last_of_who_has_most_waiting_makes_room_for_who_has_fewer_by_two(self):
        assert self.pushed_out("ABCa", "1") == "C"
        assert self.pushed_out("ABCa", "b") == "C"
        assert self.pushed_out("ABCab", "c") is None
        assert self.pushed_out("ABCa", "D") is None
        assert self.pushed_out("ABCa", "1", push_out=False) is None

    def test_nobody_takes_the_only_place_of_a_queue_from_somebody_else(self):
        assert self.pushed_out("A", "a") is None
        assert self.pushed_out("", "a") is None


def test_other_disciplines_push_nobody_out():
    assert queue_of(Fifo(), *"abc").push_out(Named("new", criticality=0)) is None
