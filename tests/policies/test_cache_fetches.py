"""The cache: who fetches what is missing, and who waits for that."""

from __future__ import annotations

import pytest
from caching import HIT, MISS, MS, NO_DRAW, SECOND, Gateway, asking, cache, fetch
from hypothesis import given, settings
from hypothesis import strategies as st

from meshsim.policies.filters.filter import NOTHING, Then


def test_without_coalescing_everybody_fetches_who_comes_before_the_answer():
    gateway = Gateway(cache(), fetch_ns=100 * MS)
    answers = gateway.run(*(at * MS for at in (0, 10, 99, 101, 150)))

    assert len(gateway.fetches) == 3
    assert [decision for _, _, decision in answers] == [MISS, MISS, MISS, HIT, HIT]


def test_with_coalescing_one_fetches_and_the_others_get_its_answer_when_they_look():
    """NGINX looks every 500 ms: the answer is there after 100 ms, and is given after 510."""
    nginx, varnish = cache(coalesce="new"), cache(coalesce="new", lock_poll=0)
    arrivals = [at * MS for at in (0, 10, 20)]
    polled = Gateway(nginx, fetch_ns=100 * MS)
    woken = Gateway(varnish, fetch_ns=100 * MS)

    assert [(at // MS, status) for at, status, _ in polled.run(*arrivals)] == [(100, 200), (510, 200), (520, 200)]
    assert [(at // MS, status) for at, status, _ in woken.run(*arrivals)] == [(100, 200)] * 3
    assert len(polled.fetches) == len(woken.fetches) == 1


@pytest.mark.parametrize(("coalesce", "fetches"), [("none", 51), ("new", 51), ("all", 2)])
def test_the_herd_after_expiry_is_not_held_back_by_nginx_s_lock(coalesce, fetches):
    """A thing is fetched, expires after 10 s, and is then asked for every 2 ms by 50 requests while a fetch takes 100 ms."""
    gateway = Gateway(cache(ttl="10s", coalesce=coalesce, lock_poll=0), fetch_ns=100 * MS)
    gateway.run(0, *(11 * SECOND + at * 2 * MS for at in range(50)))

    assert len(gateway.fetches) == fetches


@pytest.mark.parametrize(("coalesce", "fetches"), [("none", 50), ("new", 1), ("all", 1)])
def test_a_herd_at_an_empty_cache_is_held_back_by_both(coalesce, fetches):
    gateway = Gateway(cache(coalesce=coalesce), fetch_ns=100 * MS)
    gateway.run(*(at * 2 * MS for at in range(50)))

    assert len(gateway.fetches) == fetches


def test_who_has_waited_for_the_timeout_goes_upstream_and_that_answer_is_not_stored():
    one = cache(coalesce="new", lock_timeout="1s", lock_age="1h", lock_poll=0)
    first, second = asking(), asking()
    one.judge(0, first, NO_DRAW)
    waiting = one.judge(0, second, NO_DRAW)
    late = one.give_up_waiting(SECOND, second, NO_DRAW)
    one.done(2 * SECOND, SECOND, second, 200, -1, 0)

    assert (waiting.then, waiting.delay_ns) == (Then.WAIT, SECOND)
    assert (late.status, late.then, late.decision, late.key) == (0, Then.NOTHING, MISS, NOTHING)
    assert one.judge(2 * SECOND, asking(), NO_DRAW).then is Then.WAIT
    one.done(3 * SECOND, 3 * SECOND, first, 200, -1, 0)
    assert one.judge(3 * SECOND, asking(), NO_DRAW).decision is HIT


def test_the_timeout_does_not_wait_for_the_next_look():
    gateway = Gateway(cache(coalesce="new", lock_timeout="1200ms", lock_age="1h"), fetch_ns=5 * SECOND)
    gateway.run(0, 0)

    assert gateway.fetches == [0, 1200 * MS]


def test_an_answer_that_came_just_before_the_timeout_is_used():
    one = cache(coalesce="new", lock_timeout="1s")
    first, second = asking(), asking()
    one.judge(0, first, NO_DRAW)
    one.judge(0, second, NO_DRAW)
    one.done(SECOND, SECOND, first, 200, -1, 0)

    assert one.give_up_waiting(SECOND, second, NO_DRAW).decision is HIT


@pytest.mark.parametrize(("lock_timeout", "fetches"), [("1s", 21), ("3s", 1)])
def test_a_longer_lock_timeout_holds_more_back(lock_timeout, fetches):
    gateway = Gateway(cache(coalesce="new", lock_timeout=lock_timeout, lock_age="1h"), fetch_ns=2 * SECOND)
    gateway.run(0, *(at * MS for at in range(1, 21)))

    assert len(gateway.fetches) == fetches


def test_after_the_lock_age_one_more_may_try():
    """A fetch takes 12 s: one request follows after 5 s and one after 10, each with a lock of its own age; nobody waits so long."""
    gateway = Gateway(cache(coalesce="new", lock_timeout="1h", lock_poll=0), fetch_ns=12 * SECOND)
    gateway.run(0, *(MS * at for at in range(1, 50)))

    assert [at // SECOND for at in gateway.fetches] == [0, 5, 10]
    older = Gateway(cache(coalesce="new", lock_timeout="1h", lock_age="1h", lock_poll=0), fetch_ns=12 * SECOND)
    older.run(0, *(MS * at for at in range(1, 50)))
    assert older.fetches == [0]


def test_the_answer_that_comes_late_from_the_one_whose_lock_was_taken_does_not_free_the_other_s():
    one = cache(ttl="1s", coalesce="all", lock_age="1s", lock_timeout="1h", lock_poll=0)
    first, second = asking(), asking()
    one.judge(0, first, NO_DRAW)
    one.judge(SECOND, second, NO_DRAW)
    one.done(SECOND, SECOND, first, 500, -1, 0)

    assert one.judge(SECOND, asking(), NO_DRAW).then is Then.WAIT


def test_who_fetches_without_having_to_leave_it_to_others_takes_no_lock():
    """The second fetch is of one who finds the answer too old; the first one's answer is stored, and stale before the second's comes."""
    one = cache(ttl="1s", stale_while_revalidate="1s")
    first, second = asking(), asking()
    fetch(one, 0, asking())
    verdicts = [one.judge(SECOND, first, NO_DRAW), one.judge(2 * SECOND, second, NO_DRAW)]
    one.done(2 * SECOND, SECOND, first, 200, -1, 0)

    assert [verdict.decision for verdict in verdicts] == [MISS, MISS]
    assert one.judge(3 * SECOND, asking(), NO_DRAW).decision is MISS


def test_fetches_that_are_not_stored_go_one_after_the_other():
    """Varnish's waiting-list serialisation, and NGINX's: ten wait, each fetch fails after 100 ms and lets the next one try."""
    gateway = Gateway(cache(coalesce="new", lock_poll=0), fetch_ns=100 * MS, answer=lambda _: 500)
    answers = gateway.run(*range(10))

    assert [at // (100 * MS) for at, _, _ in answers] == list(range(1, 11))


def test_the_timeout_counts_from_the_first_wait_though_fetches_fail_meanwhile():
    """Fetches of 400 ms that fail: those that would be the third and later ones go at 1 s all together."""
    gateway = Gateway(cache(coalesce="new", lock_timeout="1s", lock_poll=0), fetch_ns=400 * MS, answer=lambda _: 500)
    gateway.run(*[0] * 10)

    assert [at // MS for at in gateway.fetches] == [0, 400, 800, *[1000] * 7]


def test_a_waiting_request_whose_caller_left_is_forgotten():
    one = cache(coalesce="new", lock_timeout="1s", lock_age="1h")
    one.judge(0, asking(7), NO_DRAW)
    for at in range(1000):
        one.judge(at * 10 * MS, asking(7), NO_DRAW)

    assert len(one._fetches._waiting) <= 102  # noqa: SLF001 — nothing else shows what it remembers


@given(
    arrivals=st.lists(st.integers(0, 300), min_size=1, max_size=40),
    fetch_ms=st.integers(0, 40),
    failures=st.sets(st.integers(0, 300)),
    coalesce=st.sampled_from(["none", "new", "all"]),
    lock_poll=st.sampled_from([0, 5 * MS]),
    lock_timeout=st.sampled_from([0, 7 * MS, SECOND]),
    lock_age=st.sampled_from([9 * MS, SECOND]),
    stale=st.sampled_from([0, 30 * MS]),
    background_update=st.booleans(),
    purge=st.sampled_from([(), (100 * MS,)]),
)
@settings(deadline=None, max_examples=300)
def test_everybody_is_answered_and_nothing_is_left_behind(arrivals, fetch_ms, failures, stale, background_update, **mixed):
    one = cache(
        ttl=20 * MS,
        negative_ttl=3 * MS,
        stale_while_revalidate=stale,
        stale_if_error=stale,
        background_update=background_update and stale > 0,
        **mixed,
    )
    gateway = Gateway(one, fetch_ms * MS, answer=lambda now_ns: 503 if now_ns // MS in failures else 200)
    answers = gateway.run(*sorted(at * MS for at in arrivals))

    assert len(answers) == len(arrivals)
    assert all(status in (200, 503) for _, status, _ in answers)
    missed = sum(decision is MISS for _, _, decision in answers)
    assert missed <= len(gateway.fetches) <= len(arrivals)
    fetches = one._fetches  # noqa: SLF001 — nothing else shows what it remembers
    assert (fetches._locks, fetches._fetches, fetches._copies, fetches._waiting) == ({}, {}, {}, {})  # noqa: SLF001
