"""Connections that transactions hold: who waits for one, who gives up, and what gives one back."""

from __future__ import annotations

import pytest
from at_instants import at_instants

import meshsim as ms

MS = 1_000_000
HOLD = [{"compute": "10ms"}]
DB = {"db": {"workers": 100, "script": [{"compute": "10ms"}]}}


@pytest.fixture
def run(tmp_path):
    """Requests at given instants (ms) at one instance, whose script holds a connection of its pool."""

    def run_it(
        times, *, inside=HOLD, script=None, load=None, others=None, faults=(), pool=None, direct=None, duration="1s", **service
    ):
        shop = {
            "workers": 100,
            "connection_pools": {"orders": {"maximum_pool_size": 1, **(pool or {})}},
            "script": script or [{"transaction": "orders", "script": inside}],
            **service,
        }
        return ms.load(
            {
                "name": "pools",
                "load": {"all": at_instants(tmp_path, times, "shop", **(load or {}))},
                "services": {"shop": shop, **(others or {})},
                "faults": list(faults),
                **({"direct": direct} if direct else {}),
                "run": {"duration": duration, "interval": "100ms"},
            }
        ).run()

    return run_it


def ended_ms(result):
    """By arrival: when each request ended, and why."""
    requests = result.requests.sort_values("started_ns", kind="stable")
    return [(ended / MS, flags) for ended, flags in zip(requests["ended_ns"], requests["response_flags"], strict=True)]


def held_ms(result):
    """Connections held and requests waiting, integrated over the run."""
    return tuple(result.connection_pools[["in_use_ns", "waiting_ns"]].sum() / MS)


def last(result):
    return tuple(result.connection_pools.iloc[-1][["in_use", "waiting"]])


def test_who_finds_all_taken_waits_and_the_longest_wait_ends_first(run):
    result = run([0, 1, 2])

    assert ended_ms(result) == [(10, "-"), (20, "-"), (30, "-")]
    assert held_ms(result) == (30, 9 + 18)
    assert result.connection_pools["acquired"].sum() == 3


def test_a_wait_ends_at_its_limit_with_an_error_of_its_own(run):
    result = run([0, 1, 2], pool={"acquire_timeout": "15ms"})

    assert ended_ms(result) == [(10, "-"), (20, "-"), (17, "pool_timeout")]
    assert result.requests["status"].tolist() == [200, 200, 500]
    assert result.connection_pools["timed_out"].sum() == 1


def test_with_a_limit_of_nothing_nobody_waits_and_with_none_for_ever(run):
    assert ended_ms(run([0, 1, 11], pool={"acquire_timeout": "0s"})) == [(10, "-"), (1, "pool_timeout"), (21, "-")]
    assert ended_ms(run(range(100), pool={"acquire_timeout": "none"}))[-1] == (1000, "-")


def test_thirty_seconds_are_the_limit_where_none_is_written(run):
    result = run([0, 1], inside=[{"compute": "40s"}])

    assert ended_ms(result) == [(40_000, "-"), (30_001, "pool_timeout")]


def test_a_grpc_service_says_internal(run):
    result = run([0, 1], pool={"acquire_timeout": "0s"}, protocol="grpc")

    assert (result.requests["grpc_status"].tolist(), result.requests["status"].tolist()) == ([0, 13], [200, 200])


def test_a_connection_is_held_over_computing_and_calls_and_not_after_the_last_step(run):
    script = [
        {"transaction": "orders", "script": [{"call": "db"}, {"compute": "1ms"}, [{"call": "db"}, {"call": "db"}]]},
        {"compute": "5ms"},
    ]
    result = run([0, 1], script=script, others=DB)

    assert ended_ms(result) == [(26, "-"), (47, "-")]


@pytest.mark.parametrize(
    ("inside", "others"),
    [
        ([{"call": "db"}, {"compute": "100ms"}], {"db": {"script": [{"compute": "10ms"}], "errors": "100%"}}),
        ([{"call": "db", "timeout": "10ms"}, {"compute": "100ms"}], {"db": {"script": [{"compute": "300ms"}], "workers": 9}}),
    ],
    ids=["a call that fails", "a call that times out"],
)
def test_a_step_that_fails_gives_it_back_at_once(run, inside, others):
    result = run([0, 1], inside=inside, others=others)

    assert [end for end, _ in ended_ms(result)] == [10, 20]
    assert held_ms(result)[0] == 20


def test_a_crash_of_the_holder_gives_back_all_connections_and_ends_all_waits(run):
    result = run([0, 1, 2, 40], faults=[{"at": "5ms", "for": "20ms", "service": "shop", "crash": True}])

    assert ended_ms(result) == [(5, "UC"), (5, "UC"), (5, "UC"), (50, "-")]
    assert held_ms(result) == (5 + 10, 4 + 3)
    assert last(result) == (0, 0)


@pytest.mark.parametrize(("on_cancel", "held", "third"), [("continue", 30, "DC"), ("drop_queued", 30, "DC"), ("stop", 25, "-")])
def test_a_caller_who_gives_up_ends_the_hold_only_where_the_service_stops(run, on_cancel, held, third):
    """The second gives up at 15 ms with a connection that it has had for 5 ms; the third wants it from 14 ms on."""
    result = run([0, 1, 14], load={"timeout": "14ms"}, on_cancel=on_cancel)

    assert [flags for _, flags in ended_ms(result)] == ["-", "DC", third]
    assert held_ms(result)[0] == held
    assert max(result.attempts["finished_ns"]) == (25 if on_cancel == "stop" else 30) * MS


@pytest.mark.parametrize(("on_cancel", "held", "waited"), [("continue", 40, 19), ("drop_queued", 40, 19), ("stop", 6, 4)])
def test_a_caller_who_gives_up_ends_the_wait_only_where_the_service_stops(run, on_cancel, held, waited):
    """A thread that waits in a pool does not notice; and it is not in the server's queue, which `drop_queued` is about."""
    result = run([0, 1], load={"timeout": "5ms"}, on_cancel=on_cancel, inside=[{"compute": "20ms"}])

    assert [flags for _, flags in ended_ms(result)] == ["DC", "DC"]
    assert held_ms(result) == (held, waited)


def test_who_has_a_deadline_stops_waiting_then_as_with_a_go_context(run):
    result = run([0, 1], load={"timeout": "8ms"}, deadline_propagation=True, inside=[{"compute": "20ms"}])

    attempts = result.attempts.sort_values("id")
    assert attempts["finished_ns"].tolist() == [20 * MS, 9 * MS]
    assert result.connection_pools["timed_out"].sum() == 0
    assert held_ms(result)[1] == 8


def test_a_worker_is_held_by_who_waits_and_is_free_in_an_asynchronous_service(run):
    """Of two workers, one computes with the connection and one waits for it: nobody is left for the third request."""
    script = [{"compute": "1ms"}, {"transaction": "orders", "script": [{"call": "db"}]}]
    blocking, free = (run([0, 1, 2], script=script, others=DB, workers=2, **{"async": is_async}) for is_async in (False, True))

    waited = [list(result.attempts.query("service == 'shop'")["started_ns"] / MS) for result in (blocking, free)]
    assert waited == [[0, 1, 11], [0, 1, 2]]
    assert ended_ms(free) == [(11, "-"), (21, "-"), (31, "-")]


def test_a_worker_that_waits_for_a_connection_uses_no_processor(run):
    """Two of two workers are held, and one of them computes: 50 %, which an autoscaler for 60 % leaves alone."""
    scaling = {"max_replicas": 4, "metrics": [{"resource": {"name": "cpu", "target": {"average_utilization": "60%"}}}]}
    held = {"workers": 2, "autoscaling": scaling, "inside": [{"compute": "100s"}], "pool": {"acquire_timeout": "none"}}
    waiting, computing = (run([0, 1], **{**held, "pool": {**held["pool"], "maximum_pool_size": size}}) for size in (1, 2))

    assert waiting.autoscaling["usage"].max() == 50
    assert computing.autoscaling["usage"].max() == 100


def test_each_replica_has_a_pool_of_its_own(run):
    direct = {"traffic": {"*": {"load_balancer": "round_robin"}}}

    assert ended_ms(run([0, 1, 2, 3], replicas=2, direct=direct)) == [(10, "-"), (11, "-"), (20, "-"), (21, "-")]


def test_a_new_replica_brings_connections_of_its_own(run):
    direct = {"traffic": {"*": {"load_balancer": "round_robin"}}}
    result = run([0, 100, 101], replicas=1, scale=[{"at": "50ms", "replicas": 2}], direct=direct)

    assert ended_ms(result) == [(10, "-"), (110, "-"), (111, "-")]


def test_a_try_given_up_goes_on_waiting_and_works_in_vain(run):
    """The second request's first try is given up at 13 ms, gets its connection at 10 ms and has it until 20 ms; another one follows it."""
    retries = {"num_retries": 1, "retry_on": ["5xx"], "per_try_timeout": "12ms"}
    result = run([0, 1], load={"retries": retries})

    assert [flags for _, flags in ended_ms(result)] == ["-", "-"]
    assert result.attempts["response_flags"].astype(str).tolist() == ["-", "UT", "-"]
    assert result.attempts["finished_ns"].iloc[1] == 20 * MS
    assert (result.connection_pools["acquired"].sum(), held_ms(result)[0]) == (3, 30)


def test_a_timeout_of_the_pool_is_a_5xx_that_may_be_retried(run):
    result = run([0, 1], load={"retries": {"num_retries": 1, "retry_on": ["5xx"]}}, pool={"acquire_timeout": "9ms"})

    assert [flags for _, flags in ended_ms(result)] == ["-", "-"]
    assert result.attempts["response_flags"].astype(str).tolist() == ["-", "pool_timeout", "-"]


def test_a_slow_database_holds_the_connections_longer(run):
    result = run([1, 2], inside=[{"call": "db"}], others=DB, faults=[{"at": "0s", "for": "5ms", "service": "db", "slow": 3}])

    assert ended_ms(result) == [(31, "-"), (41, "-")]


def test_requests_that_need_two_connections_of_one_pool_may_wait_for_each_other(run):
    """Requests x (connections of each - 1) + 1 are enough: one of them always gets its last."""
    two = [{"transaction": "orders", "script": [{"compute": "2ms"}, {"transaction": "orders", "script": HOLD}]}]
    stuck, enough = (run([0, 1], script=two, pool={"maximum_pool_size": size, "acquire_timeout": "50ms"}) for size in (2, 3))

    assert ended_ms(stuck) == [(52, "pool_timeout"), (62, "-")]
    assert ended_ms(enough) == [(12, "-"), (22, "-")]


def test_any_of_those_who_wait_is_next_where_waiters_are_random(run):
    """As in Go: each has the same chance, so that a late one may overtake; nobody is lost."""
    result = run(range(20), pool={"waiters": "random"})
    ends = [end for end, _ in ended_ms(result)]

    assert sorted(ends) == [10.0 * number for number in range(1, 21)]
    assert ends != sorted(ends)


def test_those_who_have_left_are_no_longer_among_whom_random_picks(run):
    result = run(range(20), pool={"waiters": "random", "acquire_timeout": "25ms"})
    flags = [flag for _, flag in ended_ms(result)]

    assert set(flags) == {"-", "pool_timeout"}
    assert result.connection_pools["acquired"].sum() == flags.count("-")
    assert last(result) == (0, 0)


def test_who_waits_for_a_connection_fills_the_server_too(run):
    """Two workers, both held: one computes with the connection, one waits for it. The third is refused at the door."""
    result = run([0, 1, 2], workers=2, queue={"limit": 0})

    assert ended_ms(result) == [(10, "-"), (20, "-"), (2, "queue_full")]


def test_a_hedge_takes_a_second_connection_and_what_it_loses_goes_on_waiting(run):
    direct = {"traffic": {"shop": {"hedge_policy": {"delay": "5ms"}}}}
    result = run([0], direct=direct)

    assert ended_ms(result) == [(10, "-")]
    assert result.attempts["finished_ns"].tolist() == [10 * MS, 20 * MS]
    assert result.connection_pools["acquired"].sum() == 2


def test_a_timeout_of_the_pool_counts_for_outlier_detection(run):
    outliers = {"consecutive_5xx": 3, "interval": "10s", "base_ejection_time": "1s", "max_ejection_percent": "100%"}
    direct = {"traffic": {"shop": {"outlier_detection": outliers, "healthy_panic_threshold": "0%"}}}
    result = run(range(9), pool={"acquire_timeout": "0s"}, direct=direct)

    assert result.destinations["ejections"].sum() == 1
    assert [flags for _, flags in ended_ms(result)] == ["-", *["pool_timeout"] * 3, *["UH"] * 5]


class TestWhereTheTimeGoes:
    def test_the_wait_is_time_for_a_connection_at_the_service_itself(self, run):
        result = run([0, 1, 2])
        stages = {(one.service, one.stage): one.mean_s for one in result.summary().slow_times if one.route is None}

        assert stages == {("shop", "connection"): pytest.approx(0.009), ("shop", "service"): pytest.approx(0.010)}

    def test_each_wait_has_a_row(self, run):
        waits = run([0, 1, 2]).waits

        assert (waits["connection_ns"] / MS).tolist() == [9, 18]
        assert waits["service"].tolist() == waits["caller"].tolist() == ["shop", "shop"]

    def test_the_summary_says_how_busy_the_pool_was_and_who_waited_in_vain(self, run):
        (pool,) = run([0, 1, 2], pool={"acquire_timeout": "15ms"}).summary().connection_pools

        assert (pool.label, pool.maximum_pool_size, pool.acquired, pool.timed_out) == ("shop: orders", 1, 2, 1)
        assert pool.utilisation_of_busiest == pytest.approx(0.020)
        assert pool.wait_mean_s == pytest.approx((0.009 + 0.015) / 3)
