"""A shared, throttled CPU under scripts with transactions, quorums and loops."""

from __future__ import annotations

from typing import Any

import pytest
from at_instants import at_instants

import meshsim as ms

MS = 1_000_000


@pytest.fixture
def run(tmp_path):
    """Requests at given instants (ms) at one instance of a front; periods of quotas begin at 0."""

    def run_it(times: list[int], services: dict[str, Any]) -> Any:
        return ms.load(
            {
                "name": "pairs",
                "load": {"all": at_instants(tmp_path, times, "front")},
                "services": services,
                "run": {"duration": "1s", "interval": "100ms", "cold_start": True},
            }
        ).run()

    return run_it


def ended_ms(result):
    """By arrival: when each request ended."""
    return [ended / MS for ended in result.requests.sort_values("request")["ended_ns"]]


def test_a_connection_is_held_while_the_cpu_stands_still(run):
    """Half a core: 50 ms of work in each 100. The first has its 100 ms done at 150, and the period's quota with it; the second gets the
    connection then, and stands still until 200 and from 250 to 300."""
    script = [{"transaction": "orders", "script": [{"compute": "100ms"}]}]
    result = run(
        [0, 0], {"front": {"cpu": {"limits": "500m"}, "connection_pools": {"orders": {"maximum_pool_size": 1}}, "script": script}}
    )

    assert ended_ms(result) == [150, 350]
    assert result.connection_pools[["in_use_ns", "waiting_ns"]].sum().tolist() == [350 * MS, 150 * MS]


@pytest.mark.parametrize(("on_cancel", "end"), [("continue", 110), ("stop", 90)])
def test_a_call_that_a_quorum_gives_up_gives_its_share_back_where_the_callee_stops(run, on_cancel, end):
    """On one core 20 ms and 100 ms run side by side until 40. The next pair comes at 50: its 20 ms take 40 beside its own other call, and
    60 beside that and the one that goes on."""
    server = {
        "cpu": {"node_cores": 1},
        "on_cancel": on_cancel,
        "operations": {"short": {"script": [{"compute": "20ms"}]}, "long": {"script": [{"compute": "100ms"}]}},
    }
    both = [{"parallel": [{"call": "server/short"}, {"call": "server/long"}], "need": 1}]

    assert ended_ms(run([0, 50], {"front": {"workers": 10, "script": both}, "server": server})) == [40, end]


def test_each_time_of_a_loop_waits_for_the_quota_anew(run):
    """Four times 30 ms at half a core: 50 in the first period, 50 in the second, 20 in the third."""
    result = run([0], {"front": {"cpu": {"limits": "500m"}, "script": [{"loop": 4, "script": [{"compute": "30ms"}]}]}})

    assert ended_ms(result) == [220]
