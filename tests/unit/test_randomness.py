from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from meshsim.random_blocks import request_keys, uniforms
from meshsim.randomness import (
    APPLICATION,
    ARRIVAL,
    BACK_OFF,
    CALL,
    CLIENT,
    DESTINATION,
    ERROR,
    GATEWAY,
    GATEWAY_PICK,
    LOAD_BALANCER,
    NETWORK,
    PROXY_TIME,
    ROUTE,
    SAMPLE,
    SERVICE_TIME,
    SIDECAR,
    START_OFFSET,
    THINK_TIME,
    Draw,
    attempt_key,
    call_key,
    mix,
    request_key,
    root_key,
    stream,
    uniform,
    user_request_key,
)

KEYS = st.integers(0, 2**64 - 1)
PURPOSES = [
    ARRIVAL, ROUTE, DESTINATION, GATEWAY_PICK, SERVICE_TIME, ERROR, CALL, LOAD_BALANCER, BACK_OFF, NETWORK, PROXY_TIME,
    THINK_TIME, SAMPLE, START_OFFSET,
]  # fmt: skip
LAYERS = [CLIENT, APPLICATION, GATEWAY, SIDECAR]
COUNT = 100_000
ONE_IN_A_MILLION = 1e-6
"""Odds of a false alarm of each test of randomness, were the keys not fixed."""


def keys_of(seed: int) -> np.ndarray:
    return request_keys(root_key(seed, 0, stream("load shoppers")), 0, COUNT)


def uniformity(numbers: np.ndarray, bins: int = 256) -> float:
    """The p-value of a chi-square test."""
    return float(stats.chisquare(np.bincount((numbers * bins).astype(int), minlength=bins)).pvalue)


def togetherness(left: np.ndarray, right: np.ndarray, bins: int = 32) -> float:
    """The p-value of a chi-square test of pairs over a square: small where one number tells of the other."""
    cells = (left * bins).astype(int) * bins + (right * bins).astype(int)
    return float(stats.chisquare(np.bincount(cells, minlength=bins * bins)).pvalue)


def test_mix_gives_the_published_sequence_of_splitmix64() -> None:
    """The first outputs of splitmix64.c from state 0."""
    golden = 0x9E3779B97F4A7C15

    assert [mix(n * golden) for n in (1, 2, 3)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_keys_and_numbers_never_change_from_release_to_release() -> None:
    root = root_key(42, 0, stream("load shoppers"))
    request = request_key(root, 1234)
    call = call_key(request, 2)
    retry = attempt_key(call, SIDECAR, 2)

    assert (stream("load shoppers"), root, request) == (0xB9DF3886388C4825, 0x5A8248FD28E90EFC, 0x2B618A3DB529B585)
    assert (user_request_key(root, 5, 17), call, retry) == (0xCD145204EA9C84DA, 0xED4EFB8744305272, 0xDED75BD095632836)
    assert [uniform(retry, SERVICE_TIME, index).hex() for index in range(3)] == [
        "0x1.28e71ce1a6a74p-3",
        "0x1.3718a9a348646p-2",
        "0x1.75ef5a4966360p-6",
    ]


def test_a_seed_counts_modulo_two_to_the_64() -> None:
    assert root_key(2**64 + 7, 1, 3) == root_key(7, 1, 3)


def test_names_salts_and_layers_are_all_different() -> None:
    assert len({*PURPOSES, *LAYERS, stream("a"), stream("b")}) == len(PURPOSES) + len(LAYERS) + 2


def test_the_first_attempt_has_the_calls_own_key_in_every_layer() -> None:
    assert {attempt_key(12345, layer, 1) for layer in LAYERS} == {12345}


def test_retries_inside_of_retries_never_share_a_key() -> None:
    call = call_key(request_key(root_key(1, 0, stream("load a")), 0), 0)
    keys = {call}
    for layer in LAYERS:
        keys = {attempt_key(key, layer, attempt) for key in keys for attempt in range(1, 8)}

    assert len(keys) == 7 ** len(LAYERS)


def test_requests_users_calls_and_attempts_all_have_keys_of_their_own() -> None:
    root = root_key(1, 0, stream("load a"))
    requests = [request_key(root, number) for number in range(2000)]
    users = [user_request_key(root, user, turn) for user in range(40) for turn in range(50)]
    calls = [call_key(key, place) for key in (root, *requests[:200]) for place in range(10)]
    attempts = [attempt_key(key, layer, attempt) for key in requests[:100] for layer in LAYERS for attempt in range(2, 7)]
    made = [root, *requests, *users, *calls, *attempts]

    assert len(set(made)) == len(made)


@given(key=KEYS, purpose=st.sampled_from(PURPOSES), index=st.integers(0, 1000))
def test_a_number_lies_strictly_between_0_and_1_and_so_does_what_it_leaves(key: int, purpose: int, index: int) -> None:
    u = uniform(key, purpose, index)

    assert 0 < u < 1
    assert 1 - (1 - u) == u
    assert (u * 2**53) % 2 == 1


def test_the_least_and_the_greatest_number_are_not_0_and_1() -> None:
    assert [(bits + 0.5) * 2.0**-52 for bits in (0, 2**52 - 1)] == [2.0**-53, 1 - 2.0**-53]


@given(key=KEYS, purpose=st.sampled_from(PURPOSES), index=st.integers(0, 1000))
def test_many_numbers_at_once_are_the_same_bits(key: int, purpose: int, index: int) -> None:
    assert uniforms(np.array([key], dtype=np.uint64), purpose, index).tolist() == [uniform(key, purpose, index)]


@given(root=KEYS, first=st.integers(0, 2**40))
def test_many_keys_at_once_are_the_same_keys(root: int, first: int) -> None:
    assert request_keys(root, first, 5).tolist() == [request_key(root, first + number) for number in range(5)]


@given(key=KEYS, others=st.lists(KEYS, max_size=3))
def test_a_draw_gives_indices_0_1_2_of_its_decision_whatever_came_before(key: int, others: list[int]) -> None:
    draw = Draw()
    for other in others:
        draw.at(other, ERROR).uniform()

    assert draw.at(key, LOAD_BALANCER) is draw
    assert [draw.uniform() for _ in range(3)] == [uniform(key, LOAD_BALANCER, index) for index in range(3)]


@given(key=KEYS, n=st.integers(1, 2**40))
def test_below_stays_below_and_takes_one_number_each_time(key: int, n: int) -> None:
    draw = Draw().at(key, BACK_OFF)

    assert 0 <= draw.below(n) < n
    assert draw.uniform() == uniform(key, BACK_OFF, 1)


def test_below_chooses_evenly() -> None:
    draw = Draw()
    picks = np.array([draw.at(key, LOAD_BALANCER).below(7) for key in keys_of(3).tolist()])

    assert stats.chisquare(np.bincount(picks, minlength=7)).pvalue > ONE_IN_A_MILLION


@pytest.mark.parametrize("purpose", PURPOSES)
def test_numbers_are_uniform(purpose: int) -> None:
    assert uniformity(uniforms(keys_of(1), purpose)) > ONE_IN_A_MILLION


def test_numbers_are_uniform_even_for_keys_that_merely_count() -> None:
    assert uniformity(uniforms(np.arange(COUNT, dtype=np.uint64), SERVICE_TIME)) > ONE_IN_A_MILLION


def test_requests_that_follow_each_other_have_nothing_to_do_with_each_other() -> None:
    numbers = uniforms(keys_of(1), SERVICE_TIME)

    assert togetherness(numbers[:-1:2], numbers[1::2]) > ONE_IN_A_MILLION


def test_two_purposes_of_a_request_have_nothing_to_do_with_each_other() -> None:
    keys = keys_of(1)
    for left, right in itertools.pairwise(PURPOSES):
        assert togetherness(uniforms(keys, left), uniforms(keys, right)) > ONE_IN_A_MILLION


def test_two_indices_of_a_decision_have_nothing_to_do_with_each_other() -> None:
    keys = keys_of(1)

    assert togetherness(uniforms(keys, SERVICE_TIME, 0), uniforms(keys, SERVICE_TIME, 1)) > ONE_IN_A_MILLION


@pytest.mark.parametrize("layer", LAYERS)
def test_an_attempt_and_the_next_have_nothing_to_do_with_each_other(layer: int) -> None:
    first = keys_of(1)
    second, third = (np.array([attempt_key(key, layer, n) for key in first.tolist()], dtype=np.uint64) for n in (2, 3))
    drawn = [uniforms(keys, SERVICE_TIME) for keys in (first, second, third)]

    assert togetherness(drawn[0], drawn[1]) > ONE_IN_A_MILLION
    assert togetherness(drawn[1], drawn[2]) > ONE_IN_A_MILLION


def test_neighbouring_seeds_and_replications_have_nothing_to_do_with_each_other() -> None:
    name = stream("load shoppers")
    base, seed, replication = (
        uniforms(request_keys(root_key(*at, name), 0, COUNT), SERVICE_TIME) for at in ((1, 0), (2, 0), (1, 1))
    )

    assert togetherness(base, seed) > ONE_IN_A_MILLION
    assert togetherness(base, replication) > ONE_IN_A_MILLION
    assert togetherness(seed, replication) > ONE_IN_A_MILLION
