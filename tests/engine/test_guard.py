"""What a caller puts before its tries: who is asked, in which order, what each is told, and that nothing is sent on a no."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from scripted_calls import ERROR, MS, NOT_FOUND, TIMED_OUT, UNAVAILABLE, Bench, Script, flags, numbers, retries

import meshsim as ms
from meshsim.engines.reference.layers.guard import GuardLayer
from meshsim.engines.reference.layers.retrying import RetryLayer
from meshsim.engines.reference.layers.timeout import ALL_FLAGS, CLIENT_GAVE_UP, TimeoutLayer
from meshsim.engines.reference.time.outcome import GRPC_OK, OK, Outcome, failure
from meshsim.engines.reference.travel.row import ENDED, SENT, SERVICE, STATUS
from meshsim.flags import Flag
from meshsim.policies.circuit_breaking import CLOSED, HALF_OPEN, OPEN, CircuitBreaker
from meshsim.randomness import GATEWAY

FOR_EVER = (1000.0, OK)


@dataclass
class Told:
    """A policy that answers by rote and notes in a common list what it is asked and told."""

    name: str
    notes: list[tuple[Any, ...]]
    answers: list[bool] = field(default_factory=list)

    def admit(self, now_ns: int, *draw: Any) -> bool:
        answer = self.answers.pop(0) if self.answers else True
        self.notes.append((self.name, "admit", now_ns / MS, answer, *(one.uniform() for one in draw)))
        return answer

    def done(self, now_ns: int, *rest: Any) -> None:
        self.notes.append((self.name, "done", now_ns / MS, *rest))

    def cancelled(self) -> None:
        self.notes.append((self.name, "cancelled"))


def guarded(bench: Bench, script: Script, **policies: Any) -> GuardLayer:
    for name, one in policies.items():
        setattr(bench.view, name, one)
    return GuardLayer(script, bench.view, bench.refusals)


def rote(**answers: list[bool]) -> tuple[dict[str, Told], list[tuple[Any, ...]]]:
    """All three policies, saying yes where nothing else is written."""
    notes: list[tuple[Any, ...]] = []
    return {name: Told(name, notes, list(answers.get(name, []))) for name in ("breaker", "throttling", "limiter")}, notes


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "flag", "count"),
        [
            ("breaker", Flag.circuit_open, "breaker_rejected"),
            ("throttling", Flag.throttled, "throttled"),
            ("limiter", Flag.concurrency, "limited"),
        ],
    )
    def test_each_of_them_answers_503_at_once_with_a_flag_of_its_own(self, name, flag, count):
        bench = Bench()
        script = bench.script((10, OK))
        policies, _ = rote(**{name: [False]})

        outcome = bench.run(guarded(bench, script, **policies))

        assert (outcome.status, Flag(outcome.flags), outcome.origin, bench.ended_ms) == (503, flag, 0, 0)
        assert script.started_ms == []
        (row,) = bench.recorder.attempts
        assert (row[STATUS], flags(row), row[SENT], row[ENDED], row[SERVICE]) == (503, flag, -1, 0, 0)
        counts = {each: getattr(bench.view.activity, each) for each in ("breaker_rejected", "throttled", "limited")}
        assert counts == {**dict.fromkeys(counts, 0), count: 1}

    def test_a_later_no_gives_back_what_an_earlier_yes_has_taken(self):
        """Else a half-open breaker would lose one of its few probes for good."""
        for later in ("throttling", "limiter"):
            bench = Bench()
            policies, notes = rote(**{later: [False]})
            bench.run(guarded(bench, bench.script(), **policies))
            assert ("breaker", "cancelled") in notes
            assert not [note for note in notes if note[1] == "done"]

    def test_a_half_open_breaker_keeps_its_probe_when_the_limit_says_no(self):
        bench = Bench()
        breaker = CircuitBreaker(permitted_number_of_calls_in_half_open_state=1).build()
        breaker._become(HALF_OPEN, 0)  # noqa: SLF001
        policies, _ = rote(limiter=[False, True])
        layer = guarded(bench, bench.script((10, OK)), breaker=breaker, limiter=policies["limiter"])

        assert Flag(bench.run(layer).flags) == Flag.concurrency
        assert bench.run(layer) is OK
        assert breaker.state == CLOSED

    def test_a_refusal_is_numbered_among_the_tries_but_not_sent(self):
        bench = Bench()
        call = bench.call()
        policies, _ = rote(limiter=[False])
        layer = guarded(bench, bench.script((10, OK)), **policies)

        bench.run(layer, call)
        bench.run(layer, call)

        assert (call.request.tries, call.request.attempts) == (2, 0)  # the script's tries count none as sent: the hop does


class TestANewProcess:
    @pytest.mark.parametrize(("cut_ms", "told"), [(0, "done"), (8, "cancelled")])
    def test_how_a_try_ended_is_told_to_those_that_let_it_pass(self, cut_ms, told):
        """A limit that never let it pass would count one too few in flight for ever."""
        bench = Bench()
        (old, notes), (new, noted) = rote(), rote()
        layer = guarded(bench, bench.script((10, OK)), **old)

        def begin() -> None:
            for name, one in new.items():
                setattr(bench.view, name, one)

        bench.clock.call_at(5 * MS, begin)
        gives_up = TimeoutLayer(layer, bench.clock, cut_ms * MS, CLIENT_GAVE_UP) if cut_ms else layer
        bench.run(gives_up)

        assert noted == []
        assert {name for name, what, *_ in notes if what == told} >= {"breaker", "limiter"}


class TestWithRetries:
    def test_each_try_is_asked_for_anew_and_told_by_itself(self):
        bench = Bench()
        policies, notes = rote()
        script = bench.script((10, ERROR), (20, OK))
        layer = RetryLayer(
            guarded(bench, script, breaker=policies["breaker"]), retries(1), bench.refusals, GATEWAY, bench.view, ALL_FLAGS
        )

        assert bench.run(layer) is OK

        assert notes == [
            ("breaker", "admit", 0, True),
            ("breaker", "done", 10, 10 * MS, True),
            ("breaker", "admit", 15, True),
            ("breaker", "done", 35, 20 * MS, False),
        ]

    @pytest.mark.parametrize(
        ("condition", "started"), [("5xx", [5]), ("gateway-error", [5]), ("connect-failure", []), ("reset", [])]
    )
    def test_a_refusal_is_retried_where_a_condition_matches_its_503(self, condition, started):
        """resilience4j's Retry takes CallNotPermittedException for a failure like others unless it is told to ignore it."""
        bench = Bench()
        policies, _ = rote(breaker=[False, True])
        script = bench.script((10, OK))
        layer = guarded(bench, script, breaker=policies["breaker"])

        bench.run(RetryLayer(layer, retries(1, condition), bench.refusals, GATEWAY, bench.view, ALL_FLAGS))

        assert script.started_ms == started
        assert numbers(script) == ([2] if started else [])

    def test_throttling_draws_anew_for_each_try(self):
        bench = Bench()
        policies, notes = rote(throttling=[False, False, False])
        layer = guarded(bench, bench.script(), throttling=policies["throttling"])

        bench.run(RetryLayer(layer, retries(2), bench.refusals, GATEWAY, bench.view, ALL_FLAGS))

        assert len({note[4] for note in notes}) == 3


class TestWhatTheyAreTold:
    @pytest.mark.parametrize(
        ("outcome", "is_failure", "is_accepted", "is_dropped"),
        [
            (OK, False, True, False),
            (GRPC_OK, False, True, False),
            (ERROR, True, False, False),
            (UNAVAILABLE, True, False, False),
            (TIMED_OUT, True, False, True),
            (NOT_FOUND, False, True, False),
            (failure(429, Flag.RL), False, False, False),
            (failure(503, Flag.queue_full), True, False, True),
            (failure(503, Flag.shed), True, False, True),
            (failure(503, Flag.UO), True, False, True),
            (Outcome(200, 14, int(Flag.error)), True, False, False),
            (Outcome(200, 5, int(Flag.error)), False, True, False),
        ],
    )
    def test_a_failure_of_the_server_is_one_and_a_4xx_is_not(self, outcome, is_failure, is_accepted, is_dropped):
        bench = Bench()
        policies, notes = rote()

        assert bench.run(guarded(bench, bench.script((10, outcome)), **policies)) is outcome

        assert [note for note in notes if note[1] == "done"] == [
            ("breaker", "done", 10, 10 * MS, is_failure),
            ("throttling", "done", 10, is_accepted),
            ("limiter", "done", 10, 10 * MS, is_dropped),
        ]

    def test_a_timeout_around_all_tries_is_a_failure_of_the_one_that_it_ends(self):
        bench = Bench()
        policies, notes = rote()

        bench.run(guarded(bench, bench.script(FOR_EVER), **policies), cut_ms=30)

        assert [note for note in notes if note[1] != "admit"] == [
            ("breaker", "done", 30, 30 * MS, True),
            ("throttling", "done", 30, False),
            ("limiter", "done", 30, 30 * MS, True),
        ]

    def test_who_has_gone_tells_nothing(self):
        """A caller that gives up says nothing about the service; what it held is free again."""
        load = {"clients": {"executor": "constant-vus", "vus": 1, "timeout": "5ms", "requests": {"all": 1}}}
        for limit in ({"concurrency_limit": {"fixed": {"limit": 1}}}, {"circuit_breaker": {"minimum_number_of_calls": 1}}):
            result = world(limit, load=load)
            assert set(result.requests["response_flags"]) == {"DC"}
            assert set(result.attempts["response_flags"]) == {"DC"}  # none was held back
            assert len(result.requests) > 100


def world(traffic: dict[str, Any], *, load: dict[str, Any] | None = None, **back: Any) -> ms.Result:
    """A gateway in front of one service of 10 ms, 100 requests a second."""
    steady = {"clients": {"executor": "constant-arrival-rate", "rate": "100/s", "arrivals": "even", "requests": {"all": 1}}}
    return ms.load(
        {
            "name": "guarded",
            "deployment": "gateway",
            "load": load or steady,
            "gateway": {"routes": {"all": {"path": "/", "to": "back"}}, "traffic": {"back": traffic}},
            "services": {"back": {"workers": 100, "script": [{"compute": "10ms"}], **back}},
            "run": {"duration": "2s", "interval": "100ms"},
        }
    ).run()


class TestInTheWhole:
    def test_a_breaker_opens_waits_probes_and_closes(self):
        """Ten failures open it at 100 ms; after 500 ms three probes are let through, 10 ms apart, and fail; and so on."""
        breaker = {
            "minimum_number_of_calls": 10,
            "wait_duration_in_open_state": "500ms",
            "permitted_number_of_calls_in_half_open_state": 3,
        }
        result = world({"circuit_breaker": breaker}, errors="100%")

        sent = result.attempts[result.attempts["sent_ns"] >= 0]
        bursts = sent["sent_ns"].sort_values().diff().gt(100 * MS).cumsum()
        # The first burst goes on for the 10 ms until the tenth failure is known; each later one is of exactly three.
        assert bursts.value_counts(sort=False).tolist()[1:] == [3, 3, 3]
        assert bursts.value_counts(sort=False).tolist()[0] in {10, 11}
        assert result.destinations["breaker_rejected"].sum() == len(result.attempts) - len(sent)

    def test_a_breaker_that_sees_a_well_service_again_closes(self):
        breaker = {"minimum_number_of_calls": 10, "wait_duration_in_open_state": "200ms"}
        faulty = {"faults": [{"at": "0s", "for": "150ms", "service": "back", "errors": "100%"}]}
        made = ms.load(
            {
                "name": "closes",
                "deployment": "gateway",
                "load": {
                    "clients": {
                        "executor": "constant-arrival-rate",
                        "rate": "100/s",
                        "arrivals": "even",
                        "requests": {"all": 1},
                    }
                },
                "gateway": {"routes": {"all": {"path": "/", "to": "back"}}, "traffic": {"back": {"circuit_breaker": breaker}}},
                "services": {"back": {"workers": 100, "script": [{"compute": "10ms"}]}},
                "run": {"duration": "2s", "interval": "100ms"},
                **faulty,
            }
        ).run()
        late = made.requests[made.requests["started_ns"] > 500 * MS]
        assert set(late["status"]) == {200}
        assert set(made.requests["response_flags"]) == {"-", "error", "circuit_open"}

    def test_a_limit_lets_so_many_be_on_their_way(self):
        """1,000 a second of 10 ms are 10 at once on the average; a limit of 4 admits 4 each 10 ms."""
        load = {"clients": {"executor": "constant-arrival-rate", "rate": "1000/s", "arrivals": "even", "requests": {"all": 1}}}
        result = world({"concurrency_limit": {"fixed": {"limit": 4}}}, load=load)

        shares = result.requests["status"].eq(200).mean()
        assert shares == pytest.approx(0.4, abs=0.01)
        assert result.counters["busy"].max() <= 4

    def test_throttling_holds_back_once_less_than_half_is_accepted(self):
        """K = 2: with 90 % accepted nothing is held back once the first answers are there, with 20 % ever more."""
        load = {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "1000/s", "requests": {"all": 1}}}
        held = {}
        for errors in ("10%", "80%"):
            rows = world({"client_throttling": {}}, load=load, errors=errors).destinations
            held[errors] = rows.loc[rows["time_ns"] > 1000 * MS, "throttled"].sum()
        assert held["10%"] == 0
        assert held["80%"] > 500


def test_open_is_the_state_after_too_many_failures():
    """The names of the states are those of the policy: the guard only asks and tells."""
    bench = Bench(breaker=CircuitBreaker(minimum_number_of_calls=2))
    layer = GuardLayer(bench.script((1, ERROR), (1, ERROR)), bench.view, bench.refusals)

    outcomes = [bench.run(layer).flags for _ in range(3)]

    assert bench.view.breaker is not None
    assert bench.view.breaker.state == OPEN  # type: ignore[attr-defined]
    assert outcomes == [Flag.error, Flag.error, Flag.circuit_open]
