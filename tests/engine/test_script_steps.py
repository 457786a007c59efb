"""Steps of scripts: quorums, fallbacks, loops, and calls that nobody waits for."""

from __future__ import annotations

import pytest
from at_instants import at_instants

import meshsim as ms

MS = 1_000_000


@pytest.fixture
def run(tmp_path):
    """Requests at given instants (ms), to one instance with a script, before services that take 5, 15 and 30 ms and one that fails after 3 ms."""

    def run_it(script, *, times=(0,), load=None, faults=(), duration="500ms", services=None, direct=None, **front):
        behind = {
            **{
                name: {"workers": 9, "script": [{"compute": time}]} for name, time in (("a", "5ms"), ("b", "15ms"), ("c", "30ms"))
            },
            "bad": {"workers": 9, "script": [{"compute": "3ms"}], "errors": "100%"},
        }
        behind = {name: {**one, **(services or {}).get(name, {})} for name, one in behind.items()}
        return ms.load(
            {
                "name": "steps",
                "load": {"all": at_instants(tmp_path, times, "front", **(load or {}))},
                "services": {"front": {"workers": 9, "script": script, **front}, **behind},
                "faults": list(faults),
                **({"direct": direct} if direct else {}),
                "run": {"duration": duration, "interval": "10ms"},
            }
        ).run()

    return run_it


def ended_ms(result):
    requests = result.requests.sort_values("started_ns", kind="stable")
    return [(ended / MS, flags) for ended, flags in zip(requests["ended_ns"], requests["response_flags"], strict=True)]


def at(result, service):
    return result.attempts[result.attempts["service"] == service]


def calls(*names, **settings):
    return [{"call": name, **settings} for name in names]


class TestQuorum:
    def test_the_script_goes_on_with_the_second_answer_and_gives_the_third_up(self, run):
        result = run([{"parallel": calls("c", "a", "b"), "need": 2}, {"compute": "1ms"}], workers=1, times=(0, 1))

        assert ended_ms(result) == [(16, "-"), (32, "-")]
        assert at(result, "c")["response_flags"].tolist() == ["DC", "DC"]

    @pytest.mark.parametrize(("need", "end"), [(1, 5), (2, 15), (3, 30), (None, 30)])
    def test_it_is_as_slow_as_the_slowest_that_it_needs(self, run, need, end):
        assert ended_ms(run([{"parallel": calls("a", "b", "c"), **({"need": need} if need else {})}])) == [(end, "-")]

    def test_without_need_it_is_a_list(self, run):
        first, second = run([{"parallel": calls("a", "bad", "c")}]), run([calls("a", "bad", "c")])

        assert first.attempts.equals(second.attempts)
        assert first.requests.equals(second.requests)

    def test_it_fails_as_soon_as_there_are_too_few_left(self, run):
        assert ended_ms(run([{"parallel": calls("a", "bad", "c"), "need": 2}])) == [(30, "-")]
        assert ended_ms(run([{"parallel": calls("bad", "b", "bad"), "need": 2}])) == [(3, "dependency")]

    def test_what_is_given_up_goes_on_at_the_callee_unless_that_stops(self, run):
        script = [{"parallel": calls("a", "c"), "need": 1}]
        going_on, stopped = run(script), run(script, services={"c": {"on_cancel": "stop"}})

        assert at(going_on, "c")[["finished_ns", "wasted_ns"]].to_numpy().tolist() == [[30 * MS, 30 * MS]]
        assert at(stopped, "c")[["finished_ns", "wasted_ns"]].to_numpy().tolist() == [[5 * MS, 5 * MS]]

    def test_an_optional_call_that_fails_counts_as_an_answer(self, run):
        script = [{"parallel": [{"call": "bad", "optional": True}, *calls("a", "c")], "need": 2}]

        assert ended_ms(run(script)) == [(5, "-")]

    def test_calls_that_are_not_made_are_not_waited_for(self, run):
        never = {"call": "c", "probability": "0%"}

        assert ended_ms(run([{"parallel": [never, never, *calls("a")], "need": 2}])) == [(5, "-")]

    def test_who_gives_up_before_the_quorum_gives_all_of_them_up(self, run):
        result = run([{"parallel": calls("b", "c", "c"), "need": 2}], load={"timeout": "10ms"}, on_cancel="stop")

        assert ended_ms(result) == [(10, "DC")]
        assert (result.attempts["ended_ns"] <= 10 * MS).all()


class TestFallback:
    def test_it_is_done_where_the_call_fails_and_only_there(self, run):
        fallback = [{"compute": "1ms"}, {"call": "a"}]

        assert ended_ms(run([{"call": "bad", "fallback": fallback}])) == [(9, "-")]
        assert ended_ms(run([{"call": "b", "fallback": fallback}])) == [(15, "-")]

    def test_where_it_fails_too_so_does_the_step(self, run):
        result = run([{"call": "bad", "fallback": [{"call": "bad"}]}, {"compute": "9ms"}])

        assert ended_ms(result) == [(6, "dependency")]
        assert result.requests["origin"].tolist() == ["bad"]

    def test_it_comes_after_the_last_try(self, run):
        again = {"num_retries": 2, "retry_on": ["5xx"], "back_off": {"constant": {"interval": "2ms"}}}
        result = run([{"call": "bad", "retries": again, "fallback": [{"call": "a"}]}])

        assert ended_ms(result) == [(3 * 3 + 2 * 2 + 5, "-")]

    def test_it_comes_after_the_timeout(self, run):
        assert ended_ms(run([{"call": "c", "timeout": "10ms", "fallback": [{"call": "a"}]}])) == [(15, "-")]

    def test_alternatives_may_have_alternatives(self, run):
        assert ended_ms(run([{"call": "bad", "fallback": [{"call": "bad", "fallback": [{"call": "a"}]}]}])) == [(11, "-")]

    def test_it_is_for_each_of_repeated_calls(self, run):
        assert ended_ms(run([{"call": "bad", "repeat": 2, "fallback": [{"compute": "1ms"}]}])) == [(8, "-")]


class TestLoop:
    def test_it_repeats_its_steps_with_draws_of_their_own(self, run):
        drawn = {"compute": {"exponential": {"mean": "5ms"}}}
        (whole, _), *_ = ended_ms(run([{"loop": 3, "script": [{"call": "a"}, drawn]}]))
        (once, _), *_ = ended_ms(run([{"call": "a"}, drawn]))

        assert ended_ms(run([{"loop": 3, "script": [{"call": "a"}, {"compute": "1ms"}]}])) == [(18, "-")]
        assert whole != pytest.approx(3 * once)

    def test_the_first_failure_ends_it(self, run):
        result = run([{"loop": 3, "script": calls("a", "bad")}])

        assert ended_ms(result) == [(8, "dependency")]
        assert len(at(result, "bad")) == 1


class TestCallsThatNobodyWaitsFor:
    def test_the_script_goes_on_at_once_and_the_call_ends_by_itself(self, run):
        result = run([{"call": "c", "wait": False}, {"compute": "2ms"}])

        assert ended_ms(result) == [(2, "-")]
        assert at(result, "c")[["request", "sent_ns", "ended_ns", "status", "wasted_ns"]].to_numpy().tolist() == [
            [-1, 0, 30 * MS, 200, 0]
        ]

    def test_its_failure_concerns_nobody_and_is_in_the_figures_of_the_service(self, run):
        result = run([{"call": "bad", "wait": False}, {"compute": "5ms"}])

        assert ended_ms(result) == [(5, "-")]
        assert next(one for one in result.summary().services if one.name == "bad").failures == 1

    def test_it_keeps_its_own_timeout_and_retries(self, run):
        again = {"num_retries": 1, "retry_on": ["5xx"], "back_off": {"constant": {"interval": "2ms"}}}
        retried, late = (
            run([{"call": "bad", "wait": False, "retries": again}]),
            run([{"call": "c", "wait": False, "timeout": "9ms"}]),
        )

        assert len(at(retried, "bad")) == 2
        assert at(late, "c")["ended_ns"].tolist() == [9 * MS]

    @pytest.mark.parametrize("script", [[{"compute": "50ms"}], [{"call": "bad"}]], ids=["its client leaves", "it fails"])
    def test_it_survives_the_end_of_its_request_however_that_ends(self, run, script):
        result = run([{"call": "c", "wait": False}, *script], load={"timeout": "4ms"}, on_cancel="stop")

        assert ended_ms(result)[0][1] in ("DC", "dependency")
        assert at(result, "c")[["ended_ns", "status"]].to_numpy().tolist() == [[30 * MS, 200]]

    def test_it_dies_with_its_instance(self, run):
        crash = {"at": "10ms", "for": "20ms", "service": "front", "crash": True}
        result = run([{"call": "c", "wait": False}], faults=[crash], services={"c": {"on_cancel": "stop"}})

        assert at(result, "c")[["ended_ns", "finished_ns"]].to_numpy().tolist() == [[10 * MS, 10 * MS]]

    @pytest.mark.parametrize(("grace", "ended"), [("100ms", 30), ("5ms", 15)])
    def test_an_instance_that_stops_waits_for_it_until_its_grace_period_is_over(self, run, grace, ended):
        scale = [{"at": "10ms", "replicas": 1}]
        direct = {"traffic": {"front": {"load_balancer": "round_robin"}}}
        result = run(
            [{"call": "c", "wait": False}], times=(0, 1), replicas=2, scale=scale, termination_grace_period=grace, direct=direct
        )

        leaving = at(result, "front").query("instance == 1")["id"].index
        assert len(leaving) == 1
        assert min(at(result, "c")["ended_ns"] / MS) == pytest.approx(ended, abs=1)

    def test_a_worker_that_let_a_call_go_is_at_work(self, run):
        scaling = {"max_replicas": 2, "metrics": [{"resource": {"name": "cpu", "target": {"average_utilization": "60%"}}}]}
        result = run([{"call": "c", "wait": False}, {"compute": "60s"}], workers=1, autoscaling=scaling, duration="1s")

        assert result.autoscaling["usage"].max() == 100

    def test_a_transaction_holds_no_connection_for_it(self, run):
        script = [{"transaction": "db", "script": [{"call": "c", "wait": False}, {"compute": "1ms"}]}]
        result = run(script, times=(0, 0, 0), connection_pools={"db": {"maximum_pool_size": 1}})

        assert [end for end, _ in ended_ms(result)] == [1, 2, 3]

    def test_an_asynchronous_service_keeps_its_worker(self, run):
        result = run(
            [{"compute": "1ms"}, {"call": "c", "wait": False}, {"compute": "1ms"}], times=(0, 0), workers=1, **{"async": True}
        )

        assert [end for end, _ in ended_ms(result)] == [2, 4]

    def test_what_it_takes_is_no_time_of_the_request(self, run):
        result = run([{"call": "c", "wait": False}, {"compute": "2ms"}])
        stages = {(one.service, one.stage): one.mean_s for one in result.summary().slow_times if one.route is None}

        assert stages == {("front", "service"): pytest.approx(0.002)}

    def test_the_run_ends_when_the_last_of_them_has(self, run):
        result = run([{"call": "c", "wait": False}], times=(499,), duration="500ms")

        assert at(result, "c")["ended_ns"].tolist() == [529 * MS]
