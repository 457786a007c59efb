"""The cache: what it keeps, for how long, and how much of it."""

from __future__ import annotations

import pytest
from caching import HIT, MINUTE, MISS, NO_DRAW, SECOND, asking, cache, fetch

from meshsim.policies.filters.cache import Cache
from meshsim.policies.filters.cache_store import CacheStore
from meshsim.policies.filters.filter import NOTHING, Decision, Surroundings
from meshsim.randomness import Draw
from meshsim.registry import SettingError


def test_an_answer_is_given_again_until_its_time_is_over():
    one = cache(ttl="10s")
    first = fetch(one, 0, asking())
    verdicts = [fetch(one, at, asking()) for at in (1, 10 * SECOND - 1, 10 * SECOND)]

    assert (first.status, first.decision) == (0, MISS)
    assert [(v.status, v.decision) for v in verdicts] == [(200, HIT), (200, HIT), (0, MISS)]


def test_time_begins_when_the_answer_comes_and_a_hit_does_not_lengthen_it():
    one = cache(ttl="10s")
    asked = asking()
    one.judge(0, asked, NO_DRAW)
    one.done(3 * SECOND, 3 * SECOND, asked, 200, -1, 0)

    assert [one.judge(at * SECOND, asking(), NO_DRAW).decision for at in (4, 8, 12, 13)] == [HIT, HIT, HIT, MISS]


def test_a_longer_ttl_hits_longer():
    hits = {}
    for ttl in ("2s", "5s"):
        one = cache(ttl=ttl)
        hits[ttl] = sum(fetch(one, at * SECOND, asking()).decision is HIT for at in range(10))

    assert hits == {"2s": 5, "5s": 8}


def test_an_answer_from_the_cache_takes_a_worker_for_the_hit_time_and_a_miss_does_not():
    one = cache(hit_time="30us", stale_while_revalidate="1h")

    assert [fetch(one, 0, asking()).work_ns for _ in range(2)] == [0, 30_000]
    assert [one.judge(MINUTE, asking(), NO_DRAW).work_ns for _ in range(2)] == [0, 30_000]


def test_each_key_and_each_route_has_an_entry_of_its_own():
    one = cache(routes=("a", "b"))
    askings = [asking(key, route) for key in (0, 1, 2) for route in (-1, 0, 1)]

    assert [fetch(one, 0, asked).decision for asked in askings] == [MISS] * 9
    assert [fetch(one, 0, asked).decision for asked in askings] == [HIT] * 9


def test_what_has_no_key_is_passed_by_unless_the_route_is_the_key():
    by_content, by_route = cache(), cache(key="route")

    assert by_content.judge(0, asking(NOTHING), NO_DRAW).key == NOTHING
    assert [fetch(by_content, 0, asking(NOTHING)).decision for _ in range(2)] == [Decision.ADMITTED] * 2
    assert [fetch(by_route, 0, asking(key)).decision for key in (NOTHING, 7)] == [MISS, HIT]


def test_a_list_without_any_route_is_a_mistake():
    with pytest.raises(SettingError, match="write one at least"):
        Cache(ttl="10s", routes=()).check()


def test_writes_pass_by_and_neither_store_nor_empty_nor_find_anything():
    """As of NGINX's proxy_cache_methods, GET and HEAD by default; a POST does not make the stored answer old."""
    one = cache()
    write = asking()
    write.is_write = True

    assert [fetch(one, 0, write).decision for _ in range(2)] == [Decision.ADMITTED] * 2
    assert [fetch(one, 0, asking()).decision for _ in range(2)] == [MISS, HIT]
    assert fetch(one, 0, write).decision is Decision.ADMITTED
    assert fetch(one, 0, asking()).decision is HIT


def test_answers_to_writes_are_stored_on_request():
    one = cache(writes=True)
    write = asking()
    write.is_write = True

    assert [fetch(one, 0, write).decision for _ in range(2)] == [MISS, HIT]


def test_only_the_routes_named_are_stored():
    one = cache(routes=("a", "b"))
    some = Cache(ttl="10s", routes=("b",)).build(around=Surroundings(routes=("a", "b")))

    assert [fetch(one, 0, asking(0, 0)).decision for _ in range(2)] == [MISS, HIT]
    assert [fetch(some, 0, asking(0, 0)).decision for _ in range(2)] == [Decision.ADMITTED] * 2
    assert [fetch(some, 0, asking(0, -1)).decision for _ in range(2)] == [Decision.ADMITTED] * 2
    assert [fetch(some, 0, asking(0, 1)).decision for _ in range(2)] == [MISS, HIT]


def test_a_route_that_is_not_there_is_an_error():
    with pytest.raises(SettingError, match="no route c"):
        Cache(ttl="10s", routes=("b", "c")).build(around=Surroundings(routes=("a", "b")))


@pytest.mark.parametrize("status", [0, 204, 302, 403, 404, 429, 500, 503])
def test_without_negative_ttl_only_200_301_and_302_are_kept(status):
    one = cache()
    fetch(one, 0, asking(), status)

    assert fetch(one, 1, asking()).status == (status if status == 302 else 0)


def test_an_answer_that_grpc_calls_a_failure_is_not_kept():
    one = cache()
    fetch(one, 0, asking(), 200, grpc_status=14)

    assert fetch(one, 1, asking(), 200, grpc_status=0).decision is MISS
    assert fetch(one, 2, asking()).decision is HIT


def test_negative_answers_are_kept_for_a_time_of_their_own():
    one = cache(ttl="10s", negative_ttl="1s", negative_statuses=(404,))

    assert [fetch(one, at, asking(), 404).status for at in (0, 1, SECOND - 1, SECOND)] == [0, 404, 404, 0]
    assert [fetch(one, 0, asking(1), 503).status for _ in range(2)] == [0, 0]
    longer = cache(ttl="10s", negative_ttl="2s")
    assert [fetch(longer, at, asking(), 503).status for at in (0, SECOND, 2 * SECOND)] == [0, 503, 0]


def test_jitter_shortens_lives_by_at_most_its_share_and_evenly():
    """1,000 lives: the mean of uniform ones lies within 5 standard errors (1 s * 0.289 / sqrt(1,000)) of the middle: odds 6e-7."""
    one = cache(ttl="10s", jitter=0.1)
    draw = Draw()
    lives = []
    for number in range(1000):
        asked = asking(number)
        one.judge(0, asked, draw.at(number * 7919, 0))
        one.done(0, 0, asked, 200, -1, 0)
        lives.append(one._store.peek(number * 2 + 1).expires_ns / SECOND)  # noqa: SLF001 — when one expires shows only here exactly

    assert 9 <= min(lives) < 9.02
    assert 9.98 < max(lives) <= 10
    assert sum(lives) / 1000 == pytest.approx(9.5, abs=5 * 0.2887 / 1000**0.5)


def test_the_one_that_was_not_asked_for_longest_makes_room():
    one = cache(capacity=2)
    for key in (0, 1, 0, 2):
        fetch(one, 0, asking(key))

    assert [one.judge(1, asking(key), NO_DRAW).decision for key in (0, 2, 1)] == [HIT, HIT, MISS]


def test_first_in_first_out_does_not_care_who_was_asked_for():
    one = cache(capacity=2, eviction="fifo")
    for key in (0, 1, 0, 2):
        fetch(one, 0, asking(key))

    assert [one.judge(1, asking(key), NO_DRAW).decision for key in (1, 2, 0)] == [HIT, HIT, MISS]


def test_a_stale_entry_takes_room_and_its_renewal_takes_no_more():
    one = cache(ttl="1s", capacity=2)
    for key in (0, 1):
        fetch(one, 0, asking(key))
    fetch(one, 5 * SECOND, asking(0))
    fetch(one, 5 * SECOND, asking(2))

    assert [one.judge(5 * SECOND, asking(key), NO_DRAW).decision for key in (0, 2, 1)] == [HIT, HIT, MISS]


@pytest.mark.parametrize(("is_lru", "left"), [(True, [0, 2]), (False, [1, 2])])
def test_an_answer_that_is_renewed_counts_as_asked_for_but_not_as_new(is_lru, left):
    store = CacheStore(2, SECOND, is_lru=is_lru)
    for key in (0, 1, 0, 2):
        store.put(key, 200, SECOND, 0)

    assert len(store) == 2
    assert [key for key in range(3) if store.peek(key) is not None] == left


def test_what_nobody_asks_for_is_taken_away_though_fresh():
    """NGINX's `inactive`, ten minutes: an entry that is fresh for an hour is gone after ten quiet minutes."""
    default, longer = cache(ttl="1h"), cache(ttl="1h", inactive="20m")
    times = (0, 9 * MINUTE, 18 * MINUTE, 28 * MINUTE)

    assert [fetch(default, at, asking()).decision for at in times] == [MISS, HIT, HIT, MISS]
    assert [fetch(longer, at, asking()).decision for at in times] == [MISS, HIT, HIT, HIT]


@pytest.mark.parametrize("times", [(10 * SECOND, 20 * SECOND), (20 * SECOND, 10 * SECOND)])
def test_a_purge_drops_everything_and_what_is_on_its_way_is_stored_after_it(times):
    one = cache(ttl="1h", purge=times)
    for key in (0, 1):
        fetch(one, 0, asking(key))
    late = asking(2)
    one.judge(9 * SECOND, late, NO_DRAW)
    one.done(11 * SECOND, 2 * SECOND, late, 200, -1, 0)

    assert [fetch(one, 11 * SECOND, asking(key)).decision for key in (0, 2)] == [MISS, HIT]
    assert [fetch(one, at * SECOND, asking(0)).decision for at in (19, 20, 21)] == [HIT, MISS, HIT]


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("ttl", {"ttl": 0}),
        ("inactive", {"inactive": 0}),
        ("negative_statuses", {"negative_ttl": "1s", "negative_statuses": ()}),
        ("lock_age", {"coalesce": "new", "lock_age": 0}),
        ("background_update", {"background_update": True}),
    ],
)
def test_a_setting_that_would_do_nothing_is_an_error(field, settings):
    with pytest.raises(SettingError) as error:
        cache(**settings)

    assert error.value.field == field
