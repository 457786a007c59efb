"""When requests arrive: k6's spacing to the nanosecond, and Poisson arrivals beside it."""

from __future__ import annotations

import numpy as np
import pytest

import meshsim as ms
from meshsim.arrivals import Profile, Segment
from meshsim.units import NS_PER_S


def starts_s(load, duration="20s"):
    made = {
        "name": "arrivals",
        "load": {"web": {"requests": {"back": 1}, **load}},
        "services": {"back": {"workers": 10_000, "script": [{"compute": "1ms"}]}},
        "run": {"duration": duration},
    }
    return (np.sort(ms.load(made).run().requests["started_ns"].to_numpy()) / NS_PER_S).tolist()


def stages(*pairs):
    return [{"target": target, "duration": duration} for target, duration in pairs]


def ramp(start_rate, *pairs, **more):
    return {"executor": "ramping-arrival-rate", "start_rate": start_rate, "stages": stages(*pairs), **more}


def test_a_constant_rate_begins_with_a_request_at_once_and_the_others_follow_evenly():
    assert starts_s({"executor": "constant-arrival-rate", "rate": "2/s"}, "2s") == [0.0, 0.5, 1.0, 1.5]


def test_its_end_is_not_part_of_it():
    load = {"executor": "constant-arrival-rate", "rate": "4/s", "start": "1s", "duration": "1s"}

    assert starts_s(load) == [1.0, 1.25, 1.5, 1.75]


def test_a_rate_of_zero_sends_nothing():
    assert starts_s({"executor": "constant-arrival-rate", "rate": "0/s"}) == []


def test_a_ramping_rate_begins_a_gap_later_even_where_it_does_not_ramp():
    """In `cal` the first iteration is due when the area is 1: k6's two executors differ."""
    assert starts_s(ramp("2/s", ("2/s", "2s"), ("2/s", "1s"))) == [0.5, 1.0, 1.5, 2.0, 2.5]


def test_the_nth_comes_when_the_area_under_the_rate_is_n():
    """From 0 to 10/s in 10 s the area after t seconds is t^2 / 2; then 50 + 10 (t - 10)."""
    expected = [np.sqrt(2 * n) for n in range(1, 50)] + [10 + (n - 50) / 10 for n in range(50, 60)]

    assert starts_s(ramp(0, ("10/s", "10s"), ("10/s", "1s"))) == pytest.approx(expected, abs=1e-9)


def test_the_example_of_k6s_own_source():
    """2/s for 4.9 s are 9.8 iterations; of the tenth 0.2 are left for the next stage, from 2/s to 3/s in 5 s (the comment at `cal`)."""
    tenth, eleventh = (np.sqrt(4 + 2 * area * 0.2) for area in (0.2, 1.2))

    found = starts_s(ramp("2/s", ("2/s", "4.9s"), ("3/s", "5s")))

    assert found[8:11] == pytest.approx([4.5, 4.9 + (tenth - 2) / 0.2, 4.9 + (eleventh - 2) / 0.2], abs=1e-8)


def test_one_that_is_due_as_a_stage_ends_comes_then_whatever_follows():
    assert starts_s(ramp("1/s", ("1/s", "3s"), (0, "0s"), (0, "10s"))) == [1.0, 2.0, 3.0]


def test_a_jump_between_two_stages_is_a_jump():
    load = ramp("1/s", ("1/s", "2s"), ("10/s", "0s"), ("10/s", "300ms"), ("1/s", "0s"), ("1/s", "2s"))

    assert starts_s(load) == pytest.approx([1.0, 2.0, 2.1, 2.2, 2.3, 3.3], abs=1e-9)


def test_a_ramp_down_to_nothing_thins_out():
    """From 10/s to 0 in 10 s: the area is 10 t - t^2 / 2."""
    expected = [10 - np.sqrt(100 - 2 * n) for n in range(1, 50)]

    assert starts_s(ramp("10/s", (0, "10s"))) == pytest.approx(expected, abs=1e-8)


def test_even_is_the_default_and_poisson_has_to_be_asked_for():
    steady = {"executor": "constant-arrival-rate", "rate": "100/s"}

    assert starts_s(steady) == starts_s({**steady, "arrivals": "even"}) != starts_s({**steady, "arrivals": "poisson"})


def test_gaps_of_poisson_arrivals_vary_as_exponential_ones_do():
    """10,000 of them: their coefficient of variation is 1, with a standard error of 1 %; five of these are never missed by chance."""
    arrivals = Profile((Segment(0, 100 * NS_PER_S, 100.0, 100.0),), is_poisson=True)

    gaps = np.diff([at_ns for at_ns, _ in arrivals.arrive(7)])

    assert gaps.std() / gaps.mean() == pytest.approx(1, abs=0.05)


def test_the_word_of_old_is_refused_with_the_new_ones():
    with pytest.raises(ms.ScenarioError, match=r"load\.web\.arrivals: unknown arrivals 'uniform' \(one of: even, poisson\)"):
        starts_s({"executor": "constant-arrival-rate", "rate": "1/s", "arrivals": "uniform"})


@pytest.mark.parametrize(
    ("times", "expected_ms"),
    [
        (1, [3162, 4472, 5500, 6527, 7837]),
        (3, [1825, 2581, 3162, 3651, 4082, 4472, 4830, 5166, 5499, 5833, 6169, 6527, 6917, 7348, 7837, 8418, 9174]),
    ],
)
def test_the_cases_of_k6s_own_test(times, expected_ms):
    """TestRampingArrivalRateCal; the last of each list, due as the load ends, is left out: k6's executor has stopped by then."""
    found = starts_s(ramp(0, (f"{times}/s", "5s"), (f"{times}/s", "1s"), (0, "5s")))

    assert [1000 * at_s for at_s in found] == pytest.approx(expected_ms, abs=1)


def two_loads(**arrivals):
    load = {"executor": "constant-arrival-rate", "rate": "20/s", "requests": {"back": 1}, **arrivals}
    return ms.load(
        {
            "name": "two",
            "load": {"one": load, "two": load},
            "services": {"back": {"workers": 2, "script": [{"compute": {"exponential": {"mean": "5ms"}}}]}},
            "run": {"duration": "2s"},
        }
    )


def instants(result, load):
    requests = result.requests
    return np.sort(requests.loc[requests["source"] == load, "started_ns"].to_numpy()).tolist()


def test_two_even_loads_of_one_rate_send_at_the_same_instants():
    even, poisson = two_loads(arrivals="even").run(), two_loads(arrivals="poisson").run()

    assert instants(even, "one") == instants(even, "two") == [number * NS_PER_S // 20 for number in range(40)]
    assert not set(instants(poisson, "one")) & set(instants(poisson, "two"))


def test_even_arrivals_are_the_same_in_every_replication():
    first, second = (two_loads(arrivals="even").run(replication=number) for number in (0, 1))

    assert instants(first, "one") == instants(second, "one")
    assert first.requests["latency_s"].sum() != second.requests["latency_s"].sum()
