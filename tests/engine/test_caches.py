"""Reading through a cache: who hits, who loads, who waits for another's load, and what is lost."""

from __future__ import annotations

import pytest

import meshsim as ms

MS = 1_000_000
DB = {"db": {"workers": 100, "script": [{"compute": "10ms"}]}}
LOAD_IT = [{"call": "db"}]
FAILING = {"db": {"workers": 100, "script": [{"compute": "10ms"}], "errors": "100%"}}


@pytest.fixture
def run(tmp_path):
    """Requests at given instants (ms) at a service that loads what its cache does not have in 10 ms."""

    def run_it(
        times, *, script=None, load=None, others=DB, faults=(), direct=None, caches=None, duration="1s", service=None, **cache
    ):
        file = tmp_path / "times.csv"
        file.write_text("at\n" + "".join(f"{time}\n" for time in times), encoding="utf-8")
        shop = {
            "workers": 100,
            "caches": caches or {"c": cache},
            "script": script or [{"cached": "c", "script": LOAD_IT}],
            **(service or {}),
        }
        return ms.load(
            {
                "name": "caches",
                "load": {"all": {"executor": "replay", "file": str(file), "unit": "ms", "requests": {"shop": 1}, **(load or {})}},
                "services": {"shop": shop, **others},
                "faults": list(faults),
                **({"direct": direct} if direct else {}),
                "run": {"duration": duration, "interval": "100ms"},
            }
        ).run()

    return run_it


def took_ms(result):
    """By arrival: how long each request took, and why it failed."""
    requests = result.requests.sort_values("started_ns", kind="stable")
    spans = (requests["ended_ns"] - requests["started_ns"]) / MS
    return list(zip(spans, requests["response_flags"], strict=True))


def spans_ms(result):
    return [span for span, _ in took_ms(result)]


def counted(result, *names):
    sums = result.caches[list(names)].sum()
    return tuple(int(sums[name]) for name in names)


LOOKUPS = ("hits", "stale_hits", "misses", "coalesced")


class TestHitsAndMisses:
    def test_what_was_loaded_once_is_there(self, run):
        result = run([0, 20, 21, 500])

        assert spans_ms(result) == [10, 0, 0, 0]
        assert counted(result, *LOOKUPS, "loads") == (3, 0, 1, 0, 1)

    def test_it_expires_when_its_time_is_over_since_it_was_loaded(self, run):
        """Loaded at 10 ms: good until 110 ms, and no longer at that instant."""
        assert spans_ms(run([0, 109], ttl="100ms")) == [10, 0]
        assert spans_ms(run([0, 110], ttl="100ms")) == [10, 10]

    def test_with_access_each_hit_begins_its_time_anew(self, run):
        times = [0, 100, 190, 280]

        assert spans_ms(run(times, ttl="100ms", expire_after="access")) == [10, 0, 0, 0]
        assert spans_ms(run(times, ttl="100ms")) == [10, 0, 10, 0]

    def test_a_load_that_fails_is_not_kept(self, run):
        result = run([0, 20], others=FAILING)

        assert took_ms(result) == [(10, "dependency"), (10, "dependency")]
        assert counted(result, "misses", "failed_loads", "hits") == (2, 2, 0)

    def test_keys_of_the_load_are_what_is_looked_up(self, run):
        """Of the hundred requests as many load as there are keys among them."""
        result = run(range(0, 2000, 20), load={"keys": {"count": 5}}, duration="2s")

        assert counted(result, "misses", "hits") == (5, 95)

    def test_a_given_ratio_hits_by_chance_and_keeps_nothing(self, run):
        result = run(range(1000), hit_ratio="80%", others={"db": {"workers": 1000, "script": [{"compute": "10ms"}]}})
        hits, misses = counted(result, "hits", "misses")

        assert hits + misses == 1000
        assert 730 < hits < 870  # 5.5 standard deviations
        assert result.caches["entries"].max() == 0

    def test_jitter_makes_lives_shorter_by_a_random_part(self, run):
        """Two hundred keys loaded at once: with a jitter of 50 % none has gone after 45 ms, about half after 75 ms, all after 100 ms."""

        def gone(after):
            result = run(
                [0] * 2000 + [10 + after] * 2000,
                ttl="100ms",
                jitter="50%",
                keys={"count": 200},
                service={"workers": 9000},
                others={"db": {"workers": 9000, "script": [{"compute": "10ms"}]}},
                single_flight=True,
            )
            return counted(result, "loads")[0] - 200

        assert gone(45) == 0
        assert 60 < gone(75) < 140  # 5.6 standard deviations of 200 halves
        assert gone(100) == 200


class TestRoom:
    @pytest.mark.parametrize("eviction", ["lru", "fifo", "random"])
    def test_there_is_never_more_than_there_is_room_for(self, run, eviction):
        result = run(range(0, 1000, 1), keys={"count": 100}, capacity=10, eviction=eviction)

        assert result.caches["entries"].max() == 10
        loads, evictions = counted(result, "loads", "evictions")
        assert loads - evictions >= 10  # some loads are of a key that is loaded twice at once


class TestMany:
    def test_all_who_miss_at_once_load(self, run):
        result = run([0, 1, 2, 9])

        assert spans_ms(result) == [10, 10, 10, 10]
        assert counted(result, "misses", "loads") == (4, 4)

    def test_with_single_flight_one_loads_and_all_others_wait_for_it(self, run):
        result = run([0, 1, 2, 9, 10, 11], single_flight=True)

        assert spans_ms(result) == [10, 9, 8, 1, 0, 0]
        assert counted(result, *LOOKUPS, "loads", "waited_ns") == (2, 0, 1, 3, 1, 18 * MS)

    def test_each_replica_loads_once_even_of_a_cache_that_they_share(self, run):
        direct = {"traffic": {"*": {"load_balancer": "round_robin"}}}
        result = run([0, 1, 2, 3, 20, 21], single_flight=True, shared=True, service={"replicas": 2}, direct=direct)

        assert spans_ms(result) == [10, 10, 8, 8, 0, 0]
        assert counted(result, "loads", "hits") == (2, 2)

    def test_other_keys_are_no_concern(self, run):
        result = run([0] * 50, single_flight=True, keys={"count": 3})

        assert counted(result, "loads", "coalesced") == (3, 47)

    def test_who_waits_holds_a_worker_and_not_in_an_asynchronous_service(self, run):
        """One other request needs no more than a worker."""
        held, free = (run([0, 1, 2], single_flight=True, service={"workers": 2, "async": is_async}) for is_async in (False, True))

        started = [
            list(result.attempts.query("service == 'shop'").sort_values("id")["started_ns"] / MS) for result in (held, free)
        ]
        assert started == [[0, 1, 10], [0, 1, 2]]

    def test_those_who_wait_fail_with_the_load(self, run):
        """Go's singleflight: one error for all."""
        result = run([0, 1, 2], single_flight=True, others=FAILING)

        assert took_ms(result) == [(10, "dependency"), (9, "dependency"), (8, "dependency")]
        assert counted(result, "loads", "failed_loads", "coalesced") == (1, 1, 2)

    def test_or_the_next_of_them_loads(self, run):
        """Caffeine's `get`: the exception is that of whoever computed, and the next one computes."""
        result = run([0, 1, 2], single_flight=True, failed_load="next", others=FAILING)

        assert took_ms(result) == [(10, "dependency"), (19, "dependency"), (28, "dependency")]
        assert counted(result, "loads", "failed_loads", "misses", "coalesced") == (3, 3, 1, 2)

    @pytest.mark.parametrize(("failed_load", "others", "loads"), [("share", "dependency", 1), ("next", "-", 2)])
    def test_a_load_that_is_cancelled_takes_those_who_wait_with_it_or_not(self, run, failed_load, others, loads):
        """The one who loads gives up at 5 ms, and its service stops (`on_cancel: stop`), as a Go handler whose context is cancelled."""
        patient = {"executor": "constant-arrival-rate", "rate": "1/s", "start": "2ms", "duration": "1s", "requests": {"shop": 1}}
        result = run([0], single_flight=True, failed_load=failed_load, load={"timeout": "5ms"}, service={"on_cancel": "stop"})
        assert took_ms(result) == [(5, "DC")]
        made = ms.load(
            {
                "name": "cancelled",
                "load": {
                    "hurried": {"executor": "constant-arrival-rate", "rate": "1/s", "duration": "1s", "requests": {"shop": 1}, "timeout": "5ms"},
                    "patient": patient,
                },
                "services": {
                    "shop": {
                        "workers": 9, "on_cancel": "stop", "caches": {"c": {"single_flight": True, "failed_load": failed_load}},
                        "script": [{"cached": "c", "script": LOAD_IT}],
                    },
                    **DB,
                },
                "run": {"duration": "1s"},
            }
        ).run()  # fmt: skip

        assert counted(made, "loads") == (loads,)
        flags = made.requests.set_index("source")["response_flags"].astype(str)
        assert flags.to_dict() == {"hurried": "DC", "patient": others}

    def test_a_caller_who_has_gone_is_no_end_of_a_load_that_goes_on(self, run):
        """By default the service works on, and what it loads is kept: the retry of the one who gave up finds it."""
        retries = {"num_retries": 1, "retry_on": ["5xx"], "per_try_timeout": "6ms", "retry_back_off": {"base_interval": "1ms"}}
        result = run([0, 15], load={"retries": retries}, single_flight=True)

        assert spans_ms(result)[1] == 0
        assert counted(result, "loads", "coalesced") == (1, 1)
        assert took_ms(result)[0] == (10, "-")

    def test_a_retry_looks_up_the_same_key(self, run):
        retries = {"num_retries": 1, "retry_on": ["5xx"], "per_try_timeout": "6ms", "retry_back_off": {"base_interval": "1ms"}}
        result = run([0], load={"retries": retries}, keys={"count": 100_000}, single_flight=True)

        assert took_ms(result) == [(10, "-")]
        assert counted(result, "loads", "coalesced") == (1, 1)

    def test_who_has_a_deadline_waits_no_longer(self):
        """The second gives up at 9 ms; the load goes on for the first, which has until 20 ms."""
        service = {"deadline_propagation": True}
        hurried = {
            "executor": "constant-arrival-rate",
            "rate": "1/s",
            "start": "1ms",
            "duration": "1s",
            "requests": {"shop": 1},
            "timeout": "8ms",
        }
        made = ms.load(
            {
                "name": "deadlines",
                "load": {"one": {**hurried, "start": "0s", "timeout": "20ms"}, "two": hurried},
                "services": {
                    "shop": {
                        "workers": 9,
                        **service,
                        "caches": {"c": {"single_flight": True}},
                        "script": [{"cached": "c", "script": LOAD_IT}],
                    },
                    **DB,
                },
                "run": {"duration": "1s"},
            }
        ).run()

        finished = made.attempts.query("service == 'shop'").sort_values("id")["finished_ns"] / MS
        assert finished.tolist() == [10, 9]
        assert counted(made, "waited_ns") == (8 * MS,)

    def test_the_deadline_of_whoever_loads_is_that_of_all_who_wait(self):
        """Its calls end with it, and its failure is theirs: the trap of a context in a singleflight."""
        short = {"executor": "constant-arrival-rate", "rate": "1/s", "duration": "1s", "requests": {"shop": 1}, "timeout": "5ms"}
        steps = [{"compute": "4ms"}, {"compute": "4ms"}, {"compute": "4ms"}]
        made = ms.load(
            {
                "name": "deadlines",
                "load": {"short": short, "long": {**short, "start": "1ms", "timeout": "1s"}},
                "services": {
                    "shop": {
                        "workers": 9, "deadline_propagation": True, "caches": {"c": {"single_flight": True}},
                        "script": [{"cached": "c", "script": steps}],
                    }
                },
                "run": {"duration": "1s"},
            }
        ).run()  # fmt: skip

        flags = made.requests.set_index("source")["response_flags"].astype(str)
        assert flags["long"] == "deadline"


class TestStale:
    def test_an_expired_value_is_given_while_one_load_brings_a_new_one(self, run):
        """Loaded at 10, good until 60, stale until 160; asked for at 70: loaded again by 80, and good until 130."""
        result = run([0, 70, 71, 79, 90, 129], ttl="50ms", stale_while_revalidate="100ms")

        assert spans_ms(result) == [10, 0, 0, 0, 0, 0]
        assert counted(result, *LOOKUPS, "loads") == (2, 3, 1, 0, 2)

    def test_after_that_it_is_a_miss(self, run):
        assert spans_ms(run([0, 159, 400], ttl="50ms", stale_while_revalidate="100ms")) == [10, 0, 10]
        assert spans_ms(run([0, 160], ttl="50ms", stale_while_revalidate="100ms")) == [10, 10]

    def test_a_new_load_that_fails_leaves_the_old_value(self, run):
        faults = [{"at": "50ms", "for": "100ms", "service": "db", "errors": "100%"}]
        result = run([0, 70, 90, 100, 170], ttl="50ms", stale_while_revalidate="1s", faults=faults)

        assert spans_ms(result) == [10, 0, 0, 0, 0]
        assert counted(result, "loads", "failed_loads", "stale_hits") == (4, 2, 4)

    def test_the_load_in_the_background_is_in_no_request_and_takes_no_worker(self, run):
        """As Caffeine's refreshAfterWrite, which loads on a pool of its own: the one worker stays free for the next request."""
        script = [{"cached": "c", "script": [{"compute": "10ms"}]}]
        result = run([0, 70, 71], ttl="50ms", stale_while_revalidate="1s", script=script, service={"workers": 1})

        assert spans_ms(result) == [10, 0, 0]
        assert result.attempts["worked_ns"].sum() == 10 * MS

    def test_on_an_event_loop_it_takes_its_turn(self, run):
        script = [{"cached": "c", "script": [{"compute": "10ms"}]}]
        result = run([0, 70, 71], ttl="50ms", stale_while_revalidate="1s", script=script, service={"workers": 1, "async": True})

        assert spans_ms(result) == [10, 0, 9]

    def test_its_calls_go_on_when_the_request_that_began_them_is_over(self, run):
        result = run([0, 70], ttl="50ms", stale_while_revalidate="1s")
        calls = result.attempts.query("service == 'db'").sort_values("id")

        assert calls["request"].tolist() == [0, -1]
        assert calls["parent"].tolist()[1] == -1

    def test_a_crash_ends_it(self, run):
        faults = [{"at": "72ms", "for": "20ms", "service": "shop", "crash": True}]
        result = run([0, 70, 100], ttl="50ms", stale_while_revalidate="1s", faults=faults)

        assert spans_ms(result) == [10, 0, 10]
        assert result.caches["loading"].max() == 0


class TestEarlyExpiration:
    def test_the_nearer_the_end_the_likelier_a_look_up_loads(self, run):
        """At a distance of x from the end a load of d is begun with probability exp(-x / (beta d))."""

        def loads(at, beta):
            times = [number * 1000 + moment for number in range(400) for moment in (0, at)]
            result = run(times, ttl="100ms", early_expiration=beta, duration="400s")
            return counted(result, "loads")[0] - 400

        assert 100 < loads(100, 1) < 195  # of 400, exp(-1) = 147, five standard deviations
        assert loads(40, 1) < 10  # exp(-7)
        assert 200 < loads(100, 2) < 290  # exp(-1/2): 243

    def test_with_single_flight_the_others_hit_meanwhile(self, run):
        result = run([0, *[100 + step / 100 for step in range(900)]], ttl="100ms", early_expiration=1, single_flight=True)

        assert counted(result, "loads", "coalesced") == (2, 0)
        assert max(spans_ms(result)[1:]) == 10


class TestWhatIsLost:
    def test_a_flush_empties_it_and_nothing_is_kept_meanwhile(self, run):
        faults = [{"at": "50ms", "for": "50ms", "service": "shop", "flush": "c"}]
        result = run([0, 20, 60, 75, 110, 130], faults=faults)

        assert spans_ms(result) == [10, 0, 10, 10, 10, 0]

    def test_a_load_that_ends_after_it_is_kept(self, run):
        assert spans_ms(run([0, 45, 60], ttl="40ms", faults=[{"at": "50ms", "for": "1ms", "service": "shop", "flush": "c"}])) == [
            10,
            0,
            10,
        ]
        assert spans_ms(run([45, 60], faults=[{"at": "50ms", "for": "1ms", "service": "shop", "flush": "c"}])) == [10, 0]

    def test_it_strikes_the_replicas_that_it_says_and_what_they_share_is_lost_for_all(self, run):
        direct = {"traffic": {"*": {"load_balancer": "round_robin"}}}
        faults = [{"at": "50ms", "for": "1ms", "service": "shop", "instances": [0], "flush": "c"}]
        own, shared = (
            run([0, 1, 60, 61], service={"replicas": 2}, direct=direct, faults=faults, shared=is_shared)
            for is_shared in (False, True)
        )

        assert sorted(spans_ms(own)[2:]) == [0, 10]
        assert spans_ms(shared)[2:] == [10, 10]

    def test_a_process_that_crashed_begins_with_nothing_and_what_is_shared_stays(self, run):
        faults = [{"at": "50ms", "for": "10ms", "service": "shop", "crash": True}]

        assert spans_ms(run([0, 20, 70], faults=faults)) == [10, 0, 10]
        assert spans_ms(run([0, 20, 70], faults=faults, shared=True)) == [10, 0, 0]

    def test_a_replica_that_is_new_or_restarted_is_cold(self, run):
        restarts = {"restarts": [{"at": "50ms"}], "startup_time": "10ms"}

        assert spans_ms(run([0, 20, 70, 90], service=restarts)) == [10, 0, 10, 0]
        assert spans_ms(run([0, 20, 70, 90], service=restarts, shared=True)) == [10, 0, 0, 0]

    def test_what_is_still_in_a_replica_that_goes_finds_what_it_had(self, run):
        """The request of 45 ms looks up at 55 ms, while its replica lets it end."""
        script = [{"compute": "10ms"}, {"cached": "c", "script": LOAD_IT}]
        result = run([0, 45], service={"restarts": [{"at": "50ms"}], "startup_time": "1ms", "script": script})

        assert spans_ms(result) == [20, 10]

    def test_a_crash_ends_the_load_and_all_waits(self, run):
        faults = [{"at": "5ms", "for": "10ms", "service": "shop", "crash": True}]
        result = run([0, 1, 20, 35], single_flight=True, faults=faults)

        assert took_ms(result) == [(5, "UC"), (4, "UC"), (10, "-"), (0, "-")]
        assert result.caches.iloc[-1]["loading"] == 0

    def test_a_warm_one_has_its_keys_from_the_start(self, run):
        assert spans_ms(run([0], keys={"count": 3}, warm=True)) == [0]
        result = run(range(500), keys={"count": 100, "zipf": 1}, capacity=10, warm=True)
        assert result.caches["entries"].min() == 10

    def test_the_values_of_a_warm_one_do_not_expire_together(self, run):
        """A thousand of them, of which after a tenth of the time to live a tenth has gone: 100, within five standard deviations."""
        result = run(
            [100] * 9000,
            keys={"count": 1000},
            warm=True,
            ttl="1s",
            single_flight=True,
            service={"workers": 9999},
            others={"db": {"workers": 9999, "script": [{"compute": "10ms"}]}},
        )

        assert 52 < counted(result, "loads")[0] < 148


class TestLookups:
    def test_each_look_up_takes_its_steps(self, run):
        script = [{"cached": "c", "lookup": [{"compute": "2ms"}], "script": LOAD_IT}]

        assert spans_ms(run([0, 20], script=script)) == [12, 2]

    def test_a_cache_that_cannot_be_asked_is_a_miss_that_fills_nothing(self, run):
        redis = {"redis": {"workers": 9, "script": [{"compute": "1ms"}]}}
        script = [{"cached": "c", "lookup": [{"call": "redis"}], "script": LOAD_IT}]
        faults = [{"at": "50ms", "for": "50ms", "service": "redis", "crash": True}]
        result = run([0, 20, 60, 120], script=script, others={**DB, **redis}, faults=faults, single_flight=True)

        assert took_ms(result) == [(11, "-"), (1, "-"), (10, "-"), (1, "-")]
        assert counted(result, "hits", "misses", "loads", "failed_loads") == (2, 2, 2, 0)

    def test_two_levels_are_one_inside_of_the_other(self, run):
        """The near one of each replica forgets soon; the far one, shared, looks up the same key."""
        caches = {"near": {"keys": {"count": 1000}, "ttl": "30ms"}, "far": {"shared": True}}
        script = [{"cached": "near", "script": [{"cached": "far", "lookup": [{"compute": "1ms"}], "script": LOAD_IT}]}]
        result = run([0, 20, 100], script=script, caches=caches, load={"executor": "replay"})

        seen = result.caches.groupby("cache", observed=True)[["hits", "misses"]].sum()
        assert seen.loc["far"].sum() == seen.loc["near", "misses"]

    def test_the_inner_one_has_the_key_of_the_outer_one(self, run):
        caches = {"near": {"keys": {"count": 2}, "capacity": 1}, "far": {}}
        script = [{"cached": "near", "script": [{"cached": "far", "script": LOAD_IT}]}]
        result = run(range(0, 1000, 20), script=script, caches=caches)
        seen = result.caches.groupby("cache", observed=True)[["hits", "misses", "loads"]].sum()

        assert seen.loc["far", "loads"] == 2
        assert seen.loc["near", "misses"] > 10


class TestPairs:
    def test_a_hit_takes_no_connection(self, run):
        pools = {"connection_pools": {"p": {"maximum_pool_size": 1}}}
        script = [{"cached": "c", "script": [{"transaction": "p", "script": LOAD_IT}]}]
        result = run([0, 20, 21], script=script, service=pools)

        assert spans_ms(result) == [10, 0, 0]
        assert result.connection_pools["acquired"].sum() == 1

    def test_a_stampede_queues_for_the_pool_and_single_flight_does_not(self, run):
        pools = {"connection_pools": {"p": {"maximum_pool_size": 1}}}
        script = [{"cached": "c", "script": [{"transaction": "p", "script": LOAD_IT}]}]
        each, one = (run([0, 1, 2, 3], script=script, service=pools, single_flight=single) for single in (False, True))

        assert spans_ms(each) == [10, 19, 28, 37]
        assert spans_ms(one) == [10, 9, 8, 7]

    def test_who_waits_for_another_load_inside_a_transaction_holds_the_connection(self, run):
        pools = {"connection_pools": {"p": {"maximum_pool_size": 2}}}
        script = [{"transaction": "p", "script": [{"cached": "c", "script": LOAD_IT}]}]
        result = run([0, 1, 2], script=script, service=pools, single_flight=True)

        assert spans_ms(result) == [10, 9, 8]
        assert result.connection_pools["in_use_ns"].sum() == 19 * MS

    def test_who_waits_uses_no_processor(self, run):
        """Two of two workers are held, of which one computes: 50 %, which an autoscaler for 60 % leaves alone."""
        scaling = {"max_replicas": 4, "metrics": [{"resource": {"name": "cpu", "target": {"average_utilization": "60%"}}}]}
        script = [{"cached": "c", "script": [{"compute": "100s"}]}]
        service = {"workers": 2, "autoscaling": scaling}
        one, each = (run([0, 1], script=script, service=service, single_flight=single) for single in (True, False))

        assert (one.autoscaling["usage"].max(), each.autoscaling["usage"].max()) == (50, 100)

    def test_the_wait_has_a_row(self, run):
        waits = run([0, 1, 2], single_flight=True).waits

        assert (waits["connection_ns"] / MS).tolist() == [9, 8]
        assert waits["service"].tolist() == waits["caller"].tolist() == ["shop", "shop"]

    def test_a_loop_looks_up_as_often_as_it_turns_each_time_another_key(self, run):
        script = [{"loop": 5, "script": [{"cached": "c", "script": LOAD_IT}]}]
        result = run([0], script=script, keys={"count": 100_000})

        assert counted(result, "misses") == (5,)

    def test_a_call_that_is_made_several_times_looks_up_another_key_each_time(self, run):
        others = {**DB, "front": {"workers": 9, "script": [{"call": "shop", "repeat": 5}]}}
        result = run([0], load={"requests": {"front": 1}}, others=others, keys={"count": 100_000})

        assert counted(result, "misses") == (5,)

    def test_wrapping_steps_in_a_cache_leaves_the_luck_of_all_others(self, run):
        db = {"db": {"workers": 99, "script": [{"compute": {"exponential": {"mean": "10ms"}}}]}}
        plain = run(range(0, 200, 20), script=[{"call": "db"}, {"call": "db"}], others=db)
        wrapped = run(
            range(0, 200, 20), script=[{"cached": "c", "script": [{"call": "db"}]}, {"call": "db"}], others=db, hit_ratio="0%"
        )

        assert spans_ms(plain) == spans_ms(wrapped)
