"""The buffer: a limit on request bodies."""

from __future__ import annotations

import pytest
from asking import Request

from meshsim.policies.filters.buffer import Buffer
from meshsim.policies.filters.filter import PASS, Decision, Surroundings
from meshsim.registry import SettingError


def buffer(**settings):
    made = Buffer(**settings)
    made.check()
    return made.build(around=Surroundings())


def test_a_body_of_just_the_limit_passes_and_more_is_a_413():
    one = buffer(max_request_bytes="64KiB")
    verdicts = [one.judge(0, Request(kib=kib), None) for kib in (0, 64, 64 + 1 / 1024)]

    assert verdicts[:2] == [PASS, PASS]
    assert (verdicts[2].status, verdicts[2].decision) == (413, Decision.LIMITED)


def test_a_larger_limit_lets_more_pass():
    passed = {
        limit: sum(buffer(max_request_bytes=limit).judge(0, Request(kib=kib), None) is PASS for kib in range(100))
        for limit in ("10KiB", "50KiB")
    }

    assert passed == {"10KiB": 11, "50KiB": 51}


def test_a_limit_that_nothing_passes_is_an_error():
    with pytest.raises(SettingError, match="larger than 0B"):
        buffer(max_request_bytes=0)
