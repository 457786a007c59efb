"""Circuit breaker, concurrency limits, throttling, failure accrual, load shedding and the filters that shed, by plain calls."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from asking import PLAIN

from meshsim.flags import Flag
from meshsim.policies.circuit_breaking import CLOSED, HALF_OPEN, OPEN, CircuitBreaker
from meshsim.policies.concurrency import Aimd, Fixed, Gradient2, Vegas
from meshsim.policies.failure_accrual import Consecutive, SuccessRate
from meshsim.policies.filters import (
    AdaptiveConcurrency,
    AdmissionControl,
    Decision,
    Fault,
    LimitConcurrency,
    Surroundings,
    Verdict,
)
from meshsim.policies.load_shedding import NO_LIMIT, Codel, ControlledDelay, MaxWait
from meshsim.policies.throttling import ClientThrottling
from meshsim.randomness import Draw
from meshsim.registry import SettingError
from meshsim.units import NS_PER_MS, NS_PER_S

DRAW = Draw().at(5, 6)


def breaker(**settings):
    return CircuitBreaker(**{"sliding_window_size": 10, "minimum_number_of_calls": 10, **settings}).build()


def calls(made, outcomes, now_s=0.0, rtt_ms=1):
    """Let calls through and tell how they ended; which of them were admitted."""
    admitted = []
    for failed in outcomes:
        now_ns = round(now_s * NS_PER_S)
        admitted.append(made.admit(now_ns))
        if admitted[-1]:
            made.done(now_ns, rtt_ms * NS_PER_MS, failed)
    return admitted


class TestCircuitBreaker:
    def test_it_opens_at_the_threshold_and_not_only_above_it(self):
        made = breaker()
        calls(made, [True] * 5 + [False] * 5)
        assert made.state == OPEN
        calm = breaker()
        calls(calm, [True] * 4 + [False] * 6)
        assert calm.state == CLOSED
        low = breaker(failure_rate_threshold=0.4)
        calls(low, [True] * 4 + [False] * 6)
        assert low.state == OPEN

    def test_not_before_the_minimum_which_is_the_window_at_most(self):
        made = breaker(minimum_number_of_calls=100)
        calls(made, [True] * 9)
        assert made.state == CLOSED
        calls(made, [True])
        assert made.state == OPEN

    def test_a_window_of_calls_forgets_the_oldest(self):
        made = breaker(minimum_number_of_calls=4, sliding_window_size=10)
        calls(made, [False] * 10 + [True] * 4)
        assert made.state == CLOSED
        calls(made, [True])
        assert made.state == OPEN

    def test_a_window_of_seconds_forgets_by_time(self):
        for now_s, state in ((5, OPEN), (20, CLOSED)):
            made = breaker(sliding_window_type="time_based", minimum_number_of_calls=4)
            calls(made, [True, True, True])
            calls(made, [True], now_s)
            assert made.state == state

    def test_while_open_calls_fail_at_once_and_are_not_recorded(self):
        made = breaker(wait_duration_in_open_state="5s")
        calls(made, [True] * 10)
        assert calls(made, [True] * 3, now_s=4.9) == [False] * 3
        assert made.rejected == 3
        assert calls(made, [False], now_s=5) == [True]
        assert made.state == HALF_OPEN

    def test_half_open_lets_so_many_through_and_their_rate_decides(self):
        for outcomes, state in (([True, True, False], OPEN), ([False, False, True], CLOSED)):
            made = breaker(wait_duration_in_open_state="5s", permitted_number_of_calls_in_half_open_state=3)
            calls(made, [True] * 10)
            assert [made.admit(5 * NS_PER_S) for _ in range(4)] == [True, True, True, False]
            for failed in outcomes:
                made.done(5 * NS_PER_S, NS_PER_MS, failed)
            assert made.state == state

    def test_a_call_without_an_outcome_gives_its_place_back(self):
        made = breaker(wait_duration_in_open_state="5s", permitted_number_of_calls_in_half_open_state=1)
        calls(made, [True] * 10)
        assert [made.admit(5 * NS_PER_S), made.admit(5 * NS_PER_S)] == [True, False]
        made.cancelled()
        assert made.admit(5 * NS_PER_S)

    def test_slow_calls_count_where_their_threshold_says_so(self):
        for threshold, state in ((1.0, CLOSED), (0.5, OPEN)):
            made = breaker(slow_call_duration_threshold="10ms", slow_call_rate_threshold=threshold)
            calls(made, [False] * 4)
            calls(made, [False] * 6, rtt_ms=20)
            assert made.state == state

    def test_half_open_does_not_last_for_ever_where_that_is_limited(self):
        for longest, state in (("0s", HALF_OPEN), ("2s", OPEN)):
            made = breaker(wait_duration_in_open_state="1s", max_wait_duration_in_half_open_state=longest)
            calls(made, [True] * 10)
            made.admit(1 * NS_PER_S)
            made.admit(4 * NS_PER_S)
            assert made.state == state

    def test_a_threshold_of_nothing_is_an_error(self):
        with pytest.raises(SettingError):
            CircuitBreaker(failure_rate_threshold=0.0).check()


def run_limit(made, samples):
    """Fill the limit and end one call after the other with these round trips (ms; None for a drop)."""
    for rtt_ms in samples:
        while made.admit(0):
            pass
        made.done(0, round((rtt_ms or 100) * NS_PER_MS), rtt_ms is None)
    return made.limit


def test_a_fixed_limit_is_fixed():
    made = Fixed(limit=2).build()
    assert [made.admit(0), made.admit(0), made.admit(0)] == [True, True, False]
    made.cancelled()
    assert made.admit(0)


def test_aimd_adds_one_and_takes_a_share():
    assert run_limit(Aimd().build(), [1] * 5) == 25
    assert run_limit(Aimd(initial_limit=100).build(), [None]) == 90
    assert run_limit(Aimd(initial_limit=100, backoff_ratio=0.5).build(), [None]) == 50
    assert run_limit(Aimd(initial_limit=100, timeout="10ms").build(), [20]) == 90
    assert run_limit(Aimd(min_limit=15).build(), [None] * 9) == 15
    assert run_limit(Aimd(max_limit=22).build(), [1] * 9) == 22
    idle = Aimd().build()
    idle.admit(0)
    idle.done(0, NS_PER_MS, False)  # noqa: FBT003
    assert idle.limit == 20


def test_vegas_rises_while_nothing_queues_and_falls_when_it_does():
    assert run_limit(Vegas().build(), [10] * 10) > 40
    assert run_limit(Vegas(initial_limit=100).build(), [10, *[40] * 10]) < 100
    assert run_limit(Vegas(max_limit=30).build(), [10] * 50) == 30
    assert run_limit(Vegas(smoothing=0.1).build(), [10] * 10) < run_limit(Vegas().build(), [10] * 10)
    assert run_limit(Vegas(initial_limit=100, probe_multiplier=1).build(), [10, *[40] * 75]) > run_limit(
        Vegas(initial_limit=100).build(), [10, *[40] * 75]
    )


def test_gradient2_follows_the_ratio_of_long_and_short():
    steady, slower = [10] * 100, [10] * 100 + [60] * 30
    assert run_limit(Gradient2().build(), steady) > run_limit(Gradient2().build(), slower)
    assert run_limit(Gradient2(max_limit=50).build(), steady) == 50
    assert run_limit(Gradient2(initial_limit=100, min_limit=90).build(), slower) == 90
    assert run_limit(Gradient2(rtt_tolerance=10.0).build(), slower) > run_limit(Gradient2().build(), slower)
    assert run_limit(Gradient2(queue_size=20).build(), [10] * 5) > run_limit(Gradient2(queue_size=1).build(), [10] * 5)
    assert run_limit(Gradient2(smoothing=1.0).build(), [10] * 5) > run_limit(Gradient2().build(), [10] * 5)
    assert run_limit(Gradient2(long_window=5).build(), slower) > run_limit(Gradient2().build(), slower)


@pytest.mark.parametrize("policy", [Aimd(min_limit=300), Gradient2(min_limit=300)])
def test_a_least_limit_above_the_most_is_an_error(policy):
    with pytest.raises(SettingError):
        policy.check()


class TestClientThrottling:
    def share(self, accepted, now_s=0.0, **settings):
        made, draw = ClientThrottling(**settings).build(), Draw()
        sent = 0
        for key in range(4000):
            if made.admit(round(now_s * NS_PER_S) + key * NS_PER_MS, draw.at(key, 1)):
                sent += 1
                made.done(round(now_s * NS_PER_S) + key * NS_PER_MS, draw.at(key, 2).uniform() < accepted)
        return sent / 4000

    def test_the_destination_sees_k_times_what_it_accepts(self):
        """SRE book: in the long run requests x share sent = K x accepts. With 10 % accepted of those sent, K of 2 sends less and less."""
        assert self.share(1.0) == 1.0
        assert self.share(0.6) == 1.0
        assert self.share(0.0) < 0.02
        assert self.share(0.4, k=1.1) < self.share(0.4, k=2.0) < 1.0

    def test_the_window_forgets(self):
        short, long = (ClientThrottling(window=window).build() for window in ("6s", "120s"))
        for made in (short, long):
            for _ in range(50):
                made.admit(0, DRAW)
            made.admit(10 * NS_PER_S, DRAW)
        assert (short.requests, long.requests) == (1, 51)


class TestFailureAccrual:
    def test_seven_failures_in_a_row_shut_it_out_for_a_penalty_that_doubles(self):
        made = Consecutive(jitter_ratio=0.0).build(hosts=2)
        assert [made.record(0, 0, 500, -1, 0, DRAW) for _ in range(7)] == [False] * 6 + [True]
        assert not made.is_available(0, 999 * NS_PER_MS)
        assert made.is_available(1, 0)
        assert made.next_change_ns() == NS_PER_S
        assert made.is_available(0, NS_PER_S)
        assert made.probe(0)
        assert not made.is_available(0, NS_PER_S)
        assert made.record(0, NS_PER_S, 500, -1, 0, DRAW)
        assert made.next_change_ns() == 3 * NS_PER_S

    def test_a_probe_that_succeeds_opens_it(self):
        made = Consecutive(jitter_ratio=0.0, max_failures=1).build(hosts=1)
        made.record(0, 0, 500, -1, 0, DRAW)
        made.probe(0)
        assert made.record(0, NS_PER_S, 200, -1, 0, DRAW)
        assert made.is_available(0, NS_PER_S)

    def test_penalties_are_settings(self):
        made = Consecutive(jitter_ratio=0.0, max_failures=1, min_penalty="3s", max_penalty="4s").build(hosts=1)
        made.record(0, 0, 500, -1, 0, DRAW)
        assert made.next_change_ns() == 3 * NS_PER_S
        made.probe(0)
        made.record(0, 3 * NS_PER_S, 500, -1, 0, DRAW)
        assert made.next_change_ns() == 7 * NS_PER_S
        jittered = Consecutive(jitter_ratio=1.0, max_failures=1).build(hosts=1)
        jittered.record(0, 0, 500, -1, 0, DRAW)
        assert NS_PER_S < jittered.next_change_ns() <= 2 * NS_PER_S

    def test_a_low_success_rate_shuts_it_out_too_and_there_429_is_a_failure(self):
        def shut(outcomes, policy=SuccessRate, **settings):
            made = policy(jitter_ratio=0.0, **settings).build(hosts=1)
            return sum(made.record(0, now_s * NS_PER_S, status, -1, 0, DRAW) for now_s, status in outcomes) > 0

        mixed = [(0, 200), (0, 500), (0, 200), (0, 500), (0, 200)]
        assert shut(mixed)
        assert not shut(mixed, Consecutive)
        assert not shut(mixed, min_requests=6)
        assert not shut(mixed, success_rate_threshold=0.5)
        assert not shut([(second * 9, status) for second, (_, status) in enumerate(mixed)])
        assert shut([(second * 9, status) for second, (_, status) in enumerate(mixed)], window="60s")
        assert shut([(0, 429)] * 5) and not shut([(0, 429)] * 9, Consecutive)  # noqa: PT018
        assert shut([(0, 500)] * 3, min_requests=100, max_failures=3)
        for penalty in ("2s", "5s"):
            made = SuccessRate(jitter_ratio=0.0, min_penalty=penalty, max_penalty="9s", max_failures=1).build(hosts=1)
            made.record(0, 0, 500, -1, 0, DRAW)
            assert made.next_change_ns() == int(penalty[0]) * NS_PER_S

    def test_a_least_penalty_above_the_most_is_an_error(self):
        with pytest.raises(SettingError):
            Consecutive(min_penalty="2m").check()


def test_max_wait_drops_who_has_waited_longer():
    assert [MaxWait(limit="10ms").build().drop(0, wait * NS_PER_MS, 3) for wait in (9, 10, 11)] == [False, False, True]


def arrivals_ns(chance):
    """4,000 at a rate that changes now and then, below and above one a millisecond."""
    now_ns, rate = 0, 1.0
    for _ in range(4000):
        now_ns += round(chance.expovariate(rate) * NS_PER_MS)
        rate = chance.choice([0.7, 1.5, 3.0]) if chance.random() < 0.01 else rate
        yield now_ns


class PseudoCode:
    """RFC 8289, section 5, request by request: what follows a `dodequeue` there is done as the next one is asked about."""

    def __init__(self, target, interval):
        self.target, self.interval = target, interval
        self.first_above_time = self.drop_next = 0
        self.count = self.lastcount = 0
        self.dropping = False
        self.steps = self.deque()
        next(self.steps)

    def drop(self, now, sojourn, left):
        return self.steps.send((now, sojourn, left))

    def control_law(self, t, count):
        return t + self.interval / count**0.5

    def ok_to_drop(self, now, sojourn, left):
        if sojourn < self.target or not left:
            self.first_above_time = 0
            return False
        if self.first_above_time == 0:
            self.first_above_time = now + self.interval
            return False
        return now >= self.first_above_time

    def deque(self):
        asked = yield None
        while True:
            now, ok = asked[0], self.ok_to_drop(*asked)
            if self.dropping:
                if not ok:
                    self.dropping = False
                while now >= self.drop_next and self.dropping:
                    self.count += 1
                    asked = yield True
                    if not self.ok_to_drop(*asked):
                        self.dropping = False
                    else:
                        self.drop_next = self.control_law(self.drop_next, self.count)
            elif ok:
                asked = yield True
                self.ok_to_drop(*asked)
                self.dropping = True
                delta, self.count = self.count - self.lastcount, 1
                if delta > 1 and now - self.drop_next < 16 * self.interval:
                    self.count = delta
                self.drop_next = self.control_law(now, self.count)
                self.lastcount = self.count
            asked = yield False


class TestControlledDelay:
    def limits_ms(self, *entries, **settings):
        made = ControlledDelay(**settings).build()
        return [made.enter(at * NS_PER_MS, queued) // NS_PER_MS for at, queued in entries]

    def test_who_comes_to_a_queue_that_has_just_been_empty_may_wait_for_the_interval(self):
        assert self.limits_ms((1000, 0), (1050, 7), (1100, 9)) == [100, 100, 100]

    def test_who_comes_to_one_that_stands_may_wait_for_the_target(self):
        assert self.limits_ms((1000, 0), (1101, 9), (1500, 2)) == [100, 5, 5]

    def test_it_stands_until_it_is_found_empty(self):
        assert self.limits_ms((1000, 0), (1500, 1), (1600, 0), (1650, 3)) == [100, 5, 100, 100]

    def test_target_and_interval_are_settings(self):
        assert self.limits_ms((1000, 0), (1101, 9), target="9ms", interval="50ms") == [50, 9]
        with pytest.raises(SettingError):
            ControlledDelay(target="1s").check()

    def test_it_drops_nobody_whose_turn_it_is_and_others_limit_no_wait(self):
        assert not ControlledDelay().build().drop(0, 10**9, 3)
        assert [one.build().enter(0, 3) for one in (Codel(), MaxWait(limit="1ms"))] == [NO_LIMIT, NO_LIMIT]


class TestCodel:
    def drops(self, waits_ms, step_ms=10, queued=5, **settings):
        made = Codel(**settings).build()
        return [made.drop(number * step_ms * NS_PER_MS, wait * NS_PER_MS, queued) for number, wait in enumerate(waits_ms)]

    def test_a_burst_passes_and_a_standing_queue_does_not(self):
        assert not any(self.drops([20] * 9 + [1] + [20] * 9))
        standing = self.drops([20] * 100)
        assert not any(standing[:10])
        assert standing[10]

    def test_drops_come_ever_sooner(self):
        times = [number for number, dropped in enumerate(self.drops([20] * 200)) if dropped]
        gaps = [second - first for first, second in pairwise(times)]
        assert gaps[0] == 10 > gaps[-1]

    def test_the_nth_drop_is_followed_by_the_next_after_the_interval_by_the_square_root_of_n(self):
        """RFC 8289, section 5.5: with a look at each microsecond, the drops come when the control law says."""
        made = Codel(target="1ms", interval="100ms").build()
        dropped_ns = [now_ns for now_ns in range(0, 700 * NS_PER_MS, 1000) if made.drop(now_ns, 20 * NS_PER_MS, 9)]

        due_ns = [100 * NS_PER_MS]
        for count in range(1, len(dropped_ns)):
            due_ns.append(due_ns[-1] + 100 * NS_PER_MS / count**0.5)
        assert len(dropped_ns) == 14
        assert [dropped - due for dropped, due in zip(dropped_ns, due_ns, strict=True)] == pytest.approx([0] * 14, abs=2000)

    @pytest.mark.parametrize("seed", range(20))
    def test_it_drops_whom_the_pseudo_code_of_the_rfc_drops(self, seed):
        """Queues that swell and empty, several looks at one instant included."""
        made, rfc = Codel(target="5ms", interval="30ms").build(), PseudoCode(5 * NS_PER_MS, 30 * NS_PER_MS)
        waiting, free_ns, ours, theirs = [], 0, [], []
        for arrived_ns in arrivals_ns(random.Random(seed)):
            while waiting and max(free_ns, waiting[0]) <= arrived_ns:
                now_ns = free_ns = max(free_ns, waiting[0])
                while waiting:
                    asked = now_ns, now_ns - waiting.pop(0), len(waiting)
                    ours.append(made.drop(*asked))
                    theirs.append(rfc.drop(*asked))
                    if not ours[-1]:
                        free_ns += NS_PER_MS
                        break
            waiting.append(arrived_ns)

        assert ours == theirs
        assert any(ours)

    def test_target_and_interval_are_settings_and_the_last_one_is_never_dropped(self):
        assert not any(self.drops([20] * 50, target="30ms"))
        assert sum(self.drops([20] * 50, interval="300ms")) < sum(self.drops([20] * 50))
        assert not any(self.drops([20] * 50, queued=0))

    def test_a_target_above_the_interval_is_an_error(self):
        with pytest.raises(SettingError):
            Codel(target="1s").check()


class TestAdmissionControl:
    def rejected(self, good, **settings):
        made, draw = AdmissionControl(**settings).build(around=Surroundings()), Draw()
        count = 0
        for key in range(4000):
            verdict = made.judge(key * NS_PER_MS, PLAIN, draw.at(key, 1))
            count += verdict == Verdict(503, Flag.admission, decision=Decision.SHED)
            if not verdict.status:
                made.done(key * NS_PER_MS, NS_PER_MS, PLAIN, 200 if draw.at(key, 2).uniform() < good else 503, -1, 0)
        return count / 4000

    def test_it_rejects_the_more_the_fewer_succeed(self):
        """Envoy's formula with n, s of what was let through: 1 - 0.4 / 0.95 = 0.58 in the long run."""
        assert self.rejected(0.97) < 0.01
        assert self.rejected(0.4) == pytest.approx(0.58, abs=0.03)
        assert self.rejected(0.0) == pytest.approx(0.8, abs=0.02)

    def test_every_setting_counts(self):
        assert self.rejected(0.0, max_rejection_probability=0.5) == pytest.approx(0.5, abs=0.03)
        assert self.rejected(0.4, sr_threshold=0.5) == pytest.approx(0.2, abs=0.03)
        assert self.rejected(0.7, aggression=2.0) > self.rejected(0.7) + 0.1
        assert self.rejected(0.0, rps_threshold=1e6) == 0.0
        made = AdmissionControl(sampling_window="2s").build(around=Surroundings())
        made.done(0, 0, PLAIN, 503, -1, 0)
        made.judge(5 * NS_PER_S, PLAIN, DRAW)
        assert made.requests == 0

    def test_the_window_is_up_to_a_second_shorter_than_it_says(self):
        """Envoy's samples begin with a request and last a second; one goes when its beginning is as old as the window (9 to 10 s)."""

        def counted(times_s, now_s):
            made = AdmissionControl(sampling_window="10s").build(around=Surroundings())
            for at_s in times_s:
                made.done(round(at_s * NS_PER_S), 0, PLAIN, 200, -1, 0)
            made.judge(round(now_s * NS_PER_S), PLAIN, DRAW)
            return made.requests

        assert counted([0.3, 1.2], 10.29) == 2
        assert counted([0.3, 1.2], 10.3) == 0  # the second one is not ten seconds old, its sample is
        assert counted([0.3, 1.3], 10.3) == 1
        assert counted([0.3, 5.0], 14.9) == 1

    def test_below_the_rate_samples_stay_until_the_next_answer(self):
        made = AdmissionControl(sampling_window="2s", rps_threshold=5.0).build(around=Surroundings())
        made.done(0, 0, PLAIN, 503, -1, 0)
        made.judge(9 * NS_PER_S, PLAIN, DRAW)
        assert made.requests == 1
        made.done(9 * NS_PER_S, 0, PLAIN, 503, -1, 0)
        assert made.requests == 1

    def test_an_aggression_below_one_is_one(self):
        assert self.rejected(0.4, aggression=0.5) == self.rejected(0.4)

    def test_what_envoy_refuses(self):
        for settings in ({"sampling_window": "10ms"}, {"sr_threshold": 0.0}):
            with pytest.raises(SettingError):
                AdmissionControl(**settings).check()


class TestAdaptiveConcurrency:
    def limit_after(self, rtts_ms, in_flight=50, **settings):
        made = AdaptiveConcurrency(**{"min_rtt_request_count": 5, "jitter": 0.0, **settings}).build(around=Surroundings())
        now_ms = 0
        for rtt_ms in rtts_ms:
            admitted = sum(not made.judge(now_ms * NS_PER_MS, PLAIN, DRAW).status for _ in range(in_flight))
            now_ms += rtt_ms
            for _ in range(admitted):
                made.done(now_ms * NS_PER_MS, rtt_ms * NS_PER_MS, PLAIN, 200, -1, 0)
        return made.controller.limit

    def test_it_begins_with_its_minimum_and_grows_while_latency_stays_at_its_best(self):
        assert self.limit_after([10]) == 3
        assert self.limit_after([10] * 100) > 20
        assert self.limit_after([10] * 60, min_concurrency=8) > self.limit_after([10] * 60)

    def test_it_shrinks_when_requests_queue(self):
        assert self.limit_after([10] * 60 + [60] * 8) < self.limit_after([10] * 60)
        assert self.limit_after([10] * 60 + [60] * 8, buffer=5.0) > self.limit_after([10] * 60 + [60] * 8)

    def test_every_setting_counts(self):
        assert self.limit_after([10] * 400, max_concurrency_limit=25) == 25
        assert self.limit_after([10] * 100, concurrency_update_interval="20ms") > self.limit_after([10] * 100)
        assert 3 in {self.limit_after([10] * steps, min_rtt_interval="900ms") for steps in range(90, 97)}
        assert self.limit_after([10] * 4, min_rtt_request_count=50) == 3
        late = {self.limit_after([10] * steps, min_rtt_interval="900ms", jitter=1.0) for steps in range(90, 97)}
        assert 3 not in late
        mixed = [10] * 30 + [10, 10, 60] * 30
        low, high = (self.limit_after(mixed, sample_aggregate_percentile=share) for share in (0.2, 0.95))
        assert low >= high

    def test_above_the_limit_the_answer_is_503(self):
        made = AdaptiveConcurrency().build(around=Surroundings())
        verdicts = [made.judge(0, PLAIN, DRAW) for _ in range(4)]
        assert [verdict.status for verdict in verdicts] == [0, 0, 0, 503]
        assert verdicts[3].flags == Flag.concurrency
        assert verdicts[3].decision is Decision.SHED


def test_limit_concurrency_asks_its_rule():
    made = LimitConcurrency(limit=Fixed(limit=1)).build(around=Surroundings())
    assert [made.judge(0, PLAIN, DRAW).status for _ in range(2)] == [0, 503]
    assert made.judge(0, PLAIN, DRAW).decision is Decision.SHED
    made.done(0, NS_PER_MS, PLAIN, 0, -1, 0)
    assert made.judge(0, PLAIN, DRAW).status == 0


class TestFault:
    def verdicts(self, now_ms=0, **settings):
        made, draw = Fault(**settings).build(around=Surroundings()), Draw()
        return [made.judge(now_ms * NS_PER_MS, PLAIN, draw.at(key, 1)) for key in range(2000)]

    def test_delay_and_abort_are_drawn_independently(self):
        """Four standard errors of 2,000 draws."""
        found = self.verdicts(
            delay={"fixed_delay": 5 * NS_PER_MS, "percentage": 0.5}, abort={"http_status": 418, "percentage": 0.2}
        )
        assert sum(verdict.delay_ns > 0 for verdict in found) / 2000 == pytest.approx(0.5, abs=0.045)
        assert sum(verdict.status == 418 for verdict in found) / 2000 == pytest.approx(0.2, abs=0.036)
        both = sum(verdict.status == 418 and verdict.flags == Flag.FI | Flag.DI for verdict in found)
        assert both / 2000 == pytest.approx(0.1, abs=0.027)

    def test_the_counters_are_told_what_was_done(self):
        delay, abort = {"fixed_delay": NS_PER_S, "percentage": 1.0}, {"http_status": 500, "percentage": 1.0}
        assert {verdict.decision for verdict in self.verdicts(delay=delay)} == {Decision.DELAYED}
        assert {verdict.decision for verdict in self.verdicts(delay=delay, abort=abort)} == {Decision.ABORTED}

    def test_so_many_at_once(self):
        found = self.verdicts(delay={"fixed_delay": NS_PER_S, "percentage": 1.0}, max_active_faults=3)
        assert sum(verdict.delay_ns > 0 for verdict in found) == 3

    def test_a_filter_that_would_do_nothing_is_an_error(self):
        with pytest.raises(SettingError):
            Fault().check()
