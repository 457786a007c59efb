"""Envoy's retry conditions against the outcomes that the model has, as a table."""

from __future__ import annotations

import pytest

from meshsim.flags import Flag
from meshsim.policies.retry import CONDITIONS, FullJitter, RetryPolicy, is_retriable

NO_GRPC = -1
STATUS_CONDITION = "retriable-status-codes"

OUTCOMES = {
    "200": ((200, NO_GRPC, 0), set()),
    "400": ((400, NO_GRPC, Flag.error), set()),
    "404 without a route": ((404, NO_GRPC, Flag.NR), set()),
    "409": ((409, NO_GRPC, Flag.error), {"retriable-4xx"}),
    "429 of the service itself": ((429, NO_GRPC, Flag.error), {STATUS_CONDITION}),
    "429 of a rate limit": ((429, NO_GRPC, Flag.RL), {"envoy-ratelimited"}),
    "500": ((500, NO_GRPC, Flag.error), {"5xx"}),
    "500 for a failed call": ((500, NO_GRPC, Flag.dependency), {"5xx"}),
    "501": ((501, NO_GRPC, Flag.error), {"5xx"}),
    "502": ((502, NO_GRPC, Flag.error), {"5xx", "gateway-error"}),
    "503 of the service itself": ((503, NO_GRPC, Flag.error), {"5xx", "gateway-error"}),
    "503 of a full queue": ((503, NO_GRPC, Flag.queue_full), {"5xx", "gateway-error"}),
    "504 of the service itself": ((504, NO_GRPC, Flag.error), {"5xx", "gateway-error"}),
    "505": ((505, NO_GRPC, Flag.error), {"5xx"}),
    "overflow of the own pool": ((503, NO_GRPC, Flag.UO), set()),
    "no healthy host": ((503, NO_GRPC, Flag.UH), set()),
    "idle stream": ((504, NO_GRPC, Flag.SI), set()),
    "connection refused": (
        (503, NO_GRPC, Flag.UF),
        {"5xx", "gateway-error", "reset", "connect-failure", "reset-before-request"},
    ),
    "connection broken": ((503, NO_GRPC, Flag.UC), {"5xx", "gateway-error", "reset"}),
    "per-try timeout": ((504, NO_GRPC, Flag.UT), {"5xx", "gateway-error", "reset"}),
    "gRPC ok": ((200, 0, 0), set()),
    "gRPC unknown": ((200, 2, Flag.error), set()),
    "gRPC cancelled": ((200, 1, Flag.error), {"cancelled"}),
    "gRPC deadline exceeded": ((200, 4, Flag.error), {"deadline-exceeded"}),
    "gRPC resource exhausted": ((200, 8, Flag.queue_full), {"resource-exhausted"}),
    "gRPC internal": ((200, 13, Flag.dependency), {"internal"}),
    "gRPC unavailable": ((200, 14, Flag.error), {"unavailable"}),
    "gRPC not found": ((200, 5, Flag.error), set()),
    "gRPC rate limited": ((200, 14, Flag.RL), {"envoy-ratelimited"}),
    "gRPC overflow of the own pool": ((200, 14, Flag.UO), set()),
}
"""For each outcome the conditions that match it; the only retriable status code is 429."""


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_condition_matches_exactly_these_outcomes(outcome, condition):
    (status, grpc_status, flags), matching = OUTCOMES[outcome]

    assert is_retriable(CONDITIONS[condition], (429,), status, grpc_status, int(flags)) == (condition in matching)


def test_every_condition_but_refused_stream_matches_something():
    """The model's servers do not refuse HTTP/2 streams."""
    assert set().union(*(matching for _, matching in OUTCOMES.values())) == set(CONDITIONS) - {"refused-stream"}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_nothing_is_tried_again_without_a_condition(outcome):
    (status, grpc_status, flags), _ = OUTCOMES[outcome]

    assert not is_retriable(0, (status,), status, grpc_status, int(flags))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_several_conditions_match_what_any_of_them_matches(outcome):
    (status, grpc_status, flags), matching = OUTCOMES[outcome]
    asked = CONDITIONS["5xx"] | CONDITIONS["unavailable"] | CONDITIONS["retriable-4xx"]

    assert is_retriable(asked, (), status, grpc_status, int(flags)) == bool(matching & {"5xx", "unavailable", "retriable-4xx"})


def test_an_overflow_is_not_retried_even_by_its_status_code():
    assert not is_retriable(CONDITIONS[STATUS_CONDITION], (503,), 503, NO_GRPC, int(Flag.UO))


@pytest.mark.parametrize("codes", [(), (503,), (404, 418)])
def test_retriable_status_codes_are_the_ones_that_are_named(codes):
    for status in (404, 418, 503):
        assert is_retriable(CONDITIONS[STATUS_CONDITION], codes, status, NO_GRPC, int(Flag.error)) == (status in codes)


def test_a_try_that_had_no_answer_has_no_status_code():
    """A per-try timeout is 504 in the end, but no header has come that `retriable-status-codes` could look at."""
    assert not is_retriable(CONDITIONS[STATUS_CONDITION], (504,), 504, NO_GRPC, int(Flag.UT))


def test_a_policy_asks_with_its_own_conditions_and_codes():
    def policy(*names, codes=()):
        conditions = sum(CONDITIONS[name] for name in names)
        return RetryPolicy(
            1,
            conditions,
            codes,
            FullJitter(base_interval=1, max_interval=1).build(),
            avoids_previous_hosts=False,
            max_reselections=0,
        )

    assert policy("gateway-error").is_retriable(503, NO_GRPC, int(Flag.error))
    assert not policy("gateway-error").is_retriable(500, NO_GRPC, int(Flag.error))
    assert policy(STATUS_CONDITION, codes=(500,)).is_retriable(500, NO_GRPC, int(Flag.error))
