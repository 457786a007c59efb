"""The cache: when an old answer is better than none."""

from __future__ import annotations

import pytest
from caching import HIT, MISS, MS, NO_DRAW, SECOND, STALE, Gateway, asking, cache, fetch

from meshsim.policies.filters.filter import NOTHING, Then


def test_while_one_fetches_the_others_get_the_old_answer():
    gateway = Gateway(cache(ttl="10s", stale_while_revalidate="5s"), fetch_ns=100 * MS)
    answers = gateway.run(0, *(11 * SECOND + at * MS for at in (0, 10, 20, 150)))

    assert [(at % SECOND // MS, decision) for at, _, decision in answers[1:]] == [
        (100, MISS),
        (10, STALE),
        (20, STALE),
        (150, HIT),
    ]


def test_in_the_background_nobody_waits():
    gateway = Gateway(cache(ttl="10s", stale_while_revalidate="5s", background_update=True), fetch_ns=100 * MS)
    answers = gateway.run(0, *(11 * SECOND + at * MS for at in (0, 10, 20, 150)))

    assert [(at % SECOND // MS, decision) for at, _, decision in answers[1:]] == [
        (0, STALE),
        (10, STALE),
        (20, STALE),
        (150, HIT),
    ]
    assert gateway.fetches == [0, 11 * SECOND]


def test_a_failed_refresh_lets_the_next_request_try_again():
    gateway = Gateway(
        cache(ttl="10s", stale_while_revalidate="5s", background_update=True),
        fetch_ns=100 * MS,
        answer=lambda now_ns: 500 if SECOND < now_ns < 12 * SECOND else 200,
    )
    answers = gateway.run(0, *(int(at * SECOND) for at in (11, 11.05, 12, 12.5)))

    assert [decision for _, _, decision in answers[1:]] == [STALE, STALE, STALE, HIT]
    assert gateway.fetches == [0, 11 * SECOND, 12 * SECOND]


@pytest.mark.parametrize(("window", "decisions"), [("1s", [MISS, MISS]), ("5s", [STALE, MISS]), ("9s", [STALE, STALE])])
def test_the_old_answer_is_given_only_for_so_long(window, decisions):
    verdicts = []
    for at in (13, 17):
        one = cache(ttl="10s", stale_while_revalidate=window)
        fetch(one, 0, asking())
        one.judge(at * SECOND, asking(), NO_DRAW)
        verdicts.append(one.judge(at * SECOND, asking(), NO_DRAW).decision)

    assert verdicts == decisions


def test_a_refresh_that_outlives_its_lock_is_stored_and_leaves_the_new_lock_alone():
    one = cache(ttl="1s", coalesce="all", lock_age="1s", stale_while_revalidate="1s", background_update=True, lock_poll=0)
    key = fetch(one, 0, asking()).key
    refresh = one.judge(SECOND, asking(), NO_DRAW)
    assert (refresh.then, refresh.key) == (Then.REFRESH, key)
    other = asking()
    assert one.judge(2 * SECOND, other, NO_DRAW).decision is MISS
    one.done(2 * SECOND, SECOND, asking(), 503, -1, 0)

    assert one.judge(2 * SECOND, asking(), NO_DRAW).then is Then.WAIT


def test_a_failure_is_answered_with_the_old_answer_for_so_long():
    gateway = Gateway(
        cache(ttl="10s", stale_if_error="20s", negative_ttl="1h"),
        fetch_ns=0,
        answer=lambda now_ns: 503 if now_ns > SECOND else 200,
    )
    answers = gateway.run(*(at * SECOND for at in (0, 11, 29, 30)))

    assert [status for _, status, _ in answers] == [200, 200, 200, 503]
    assert len(gateway.fetches) == 4
    none = Gateway(cache(ttl="10s"), fetch_ns=0, answer=lambda now_ns: 503 if now_ns > SECOND else 200)
    assert [status for _, status, _ in none.run(0, 11 * SECOND)] == [200, 503]


@pytest.mark.parametrize(
    ("status", "instead"), [(0, 0), (200, 0), (404, 0), (429, 0), (500, 200), (502, 200), (504, 200), (501, 0)]
)
def test_only_the_errors_of_rfc_5861_are_replaced(status, instead):
    one = cache(ttl="10s", stale_if_error="1h")
    fetch(one, 0, asking())

    assert one.answer_instead(11 * SECOND, asking(), status, -1) == instead
    assert one.answer_instead(11 * SECOND, asking(1), status, -1) == 0
    assert one.answer_instead(11 * SECOND, asking(NOTHING), status, -1) == 0


def test_a_failure_in_grpc_s_words_is_replaced_too():
    one = cache(ttl="10s", stale_if_error="1h")
    fetch(one, 0, asking(), grpc_status=0)

    assert [one.answer_instead(11 * SECOND, asking(), 200, grpc_status) for grpc_status in (-1, 0, 14)] == [0, 0, 200]


def test_a_stored_failure_is_no_answer_in_place_of_another():
    one = cache(ttl="10s", stale_if_error="1h", negative_ttl="1s")
    fetch(one, 0, asking(), 503)

    assert one.answer_instead(2 * SECOND, asking(), 500, -1) == 0
