"""A circuit breaker's limit."""

from __future__ import annotations

from meshsim.policies.admission import NO_LIMIT, ResourceLimit


def test_as_many_as_the_limit_are_admitted_at_once():
    limit = ResourceLimit(maximum=2)

    assert [limit.admit() for _ in range(4)] == [True, True, False, False]
    assert limit.in_use == 2


def test_what_is_given_back_can_be_taken_again():
    limit = ResourceLimit(maximum=1)
    limit.admit()
    limit.done()

    assert limit.in_use == 0
    assert limit.admit()


def test_each_refusal_is_counted_and_takes_nothing():
    limit = ResourceLimit(maximum=0)

    assert [limit.admit() for _ in range(3)] == [False, False, False]
    assert (limit.in_use, limit.overflows) == (0, 3)


def test_no_limit_is_what_istio_writes_for_it():
    limit = ResourceLimit()

    assert limit.maximum == NO_LIMIT == 4_294_967_295
    assert all(limit.admit() for _ in range(1000))
    assert limit.overflows == 0


def test_a_limit_that_shrinks_below_what_is_in_use_admits_again_only_under_it():
    limit = ResourceLimit(maximum=3)
    for _ in range(3):
        limit.admit()

    limit.maximum = 1
    limit.done()
    limit.done()

    assert not limit.admit()
    limit.done()
    assert limit.admit()
