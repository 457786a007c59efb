"""How long a retry waits where the answer says when to come again."""

from __future__ import annotations

import pytest

from meshsim.engines.reference.layers.retrying import wait_ns
from meshsim.engines.reference.time.outcome import Outcome
from meshsim.policies.retry import Constant, RetryPolicy
from meshsim.randomness import BACK_OFF, Draw

MS = 1_000_000
SECOND = 1000 * MS
BACK_OFF_NS = 123 * MS


def waits(asked_ns, longest_ns, count=2000):
    back_off = Constant(interval=BACK_OFF_NS).build()
    policy = RetryPolicy(3, 0, (), back_off, avoids_previous_hosts=False, max_reselections=0, max_retry_after_ns=longest_ns)
    answer, draw = Outcome(503, retry_after_ns=asked_ns), Draw()
    return {wait_ns(policy, answer, 1, 0, draw.at(7 * key, BACK_OFF)) for key in range(count)}


def test_an_answer_that_asks_for_nothing_means_the_back_off():
    assert waits(-1, 60 * SECOND) == waits(0, 60 * SECOND) == {BACK_OFF_NS}


def test_a_policy_without_a_maximum_does_not_look_at_what_the_answer_asks():
    assert waits(SECOND, 0) == {BACK_OFF_NS}


def test_what_the_answer_asks_for_is_the_least_and_half_as_much_again_is_the_bound():
    """Envoy draws whole milliseconds below half of it on top, lest all who were sent away come back in the same instant."""
    assert waits(20 * MS, 60 * SECOND) == {milliseconds * MS for milliseconds in range(20, 30)}


@pytest.mark.parametrize("asked_ms", [1, 2, 3])
def test_of_very_short_times_there_is_no_half_to_draw_from(asked_ms):
    assert waits(asked_ms * MS, 60 * SECOND) == {asked_ms * MS}


def test_an_answer_that_asks_for_longer_than_the_maximum_is_not_taken_at_its_word():
    """It is not cut down to the maximum: Envoy takes the usual back-off."""
    assert waits(60 * SECOND + 1, 60 * SECOND) == {BACK_OFF_NS}
    assert min(waits(60 * SECOND, 60 * SECOND)) >= 60 * SECOND
