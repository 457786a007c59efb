"""A service that keeps deadlines does no work that nobody waits for, not even where its worker was lent to others meanwhile."""

from __future__ import annotations

import pytest

import meshsim as ms


@pytest.mark.parametrize(("keeps", "worked_ms"), [(True, 10), (False, 20)])
def test_who_has_a_worker_again_when_the_deadline_has_passed_does_not_begin(keeps, worked_ms):
    """The second request, of 60 ms, comes while the first waits for its call; so it has its worker again at 70 ms, and had 50."""
    services = {
        "front": {
            "async": True,
            "deadline_propagation": keeps,
            "operations": {
                "first": {"script": [{"compute": "10ms"}, {"call": "back"}, {"compute": "10ms"}]},
                "second": {"script": [{"compute": "60ms"}]},
            },
        },
        "back": {"script": [{"compute": "10ms"}]},
    }
    each = {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "10/s", "duration": "100ms"}
    result = ms.load(
        {
            "name": "late",
            "deployment": "none",
            "load": {
                "first": {**each, "requests": {"front/first": 1}, "timeout": "50ms"},
                "second": {**each, "requests": {"front/second": 1}},
            },
            "services": services,
            "run": {"duration": "1s"},
        }
    ).run()
    row = result.attempts[result.attempts["operation"] == "front/first"].iloc[0]
    assert row["worked_ns"] == worked_ms * 1e6
