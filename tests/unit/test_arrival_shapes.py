"""What shapes the rate of an open load: swings, bursts, and a record that is stretched or scaled."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import meshsim as ms
from meshsim.arrivals import Bursts, Profile, Recorded, Segment, Sinusoid, State
from meshsim.distributions import Constant, Exponential, Pareto
from meshsim.portable import cosine
from meshsim.randomness import root_key
from meshsim.scenario.advice import remarks
from meshsim.scenario.load import load as load_scenario
from meshsim.units import NS_PER_S


def steady(rate, seconds, **shape):
    return Profile((Segment(0, seconds * NS_PER_S, rate, rate),), **{"is_poisson": True, **shape})


def counts(profile, root, seconds, width_s):
    """Requests in each window."""
    at_s = np.array([at_ns for at_ns, _ in profile.arrive(root)]) / NS_PER_S
    return np.histogram(at_s, bins=round(seconds / width_s), range=(0, seconds))[0]


def exponential(mean):
    return Exponential(mean=mean).build()


class TestCosine:
    def test_it_is_that_of_the_c_library_for_any_number_of_turns(self):
        turns = np.linspace(-3, 3, 10_001)

        assert max(abs(cosine(one) - math.cos(2 * math.pi * one)) for one in turns) < 3e-15

    def test_it_is_exact_at_quarters(self):
        assert [cosine(one / 4) for one in range(-4, 5)] == [1, 0, -1, 0, 1, 0, -1, 0, 1]


class TestSinusoid:
    def test_even_requests_come_when_the_area_is_a_whole_number(self):
        """The area under 100 (1 + 0.6 cos(2 pi t / 10)) is 100 t + 60 (10 / 2 pi) sin(2 pi t / 10)."""
        swing = Sinusoid(0.6, 10 * NS_PER_S, 0)
        at_s = np.array([at for at, _ in steady(100.0, 10, is_poisson=False, sinusoid=swing).arrive(1)]) / NS_PER_S

        area = 100 * at_s + 600 / (2 * math.pi) * np.sin(2 * math.pi * at_s / 10)
        assert area == pytest.approx(np.arange(1000), abs=0.01)

    def test_the_peak_is_where_it_is_said_to_be_whenever_the_load_begins(self):
        swing = Sinusoid(1.0, 8 * NS_PER_S, 21 * NS_PER_S)
        late = Profile((Segment(3 * NS_PER_S, 8 * NS_PER_S, 500.0, 500.0),), is_poisson=False, sinusoid=swing)
        at_s = np.array([at for at, _ in late.arrive(1)]) / NS_PER_S

        found = np.histogram(at_s, bins=np.arange(3, 12))[0]
        assert (found.argmin() + 3, len(at_s)) == (8, 4000)
        assert sorted(found[np.array([1, 2])]) == pytest.approx([950, 950], abs=2)

    def test_a_ramp_swings_too(self):
        ramp = Profile((Segment(0, 40 * NS_PER_S, 0.0, 200.0),), is_poisson=False, sinusoid=Sinusoid(0.5, 4 * NS_PER_S, 0))
        at_s = np.array([at for at, _ in ramp.arrive(1)]) / NS_PER_S

        t = np.linspace(0, 40, 400_001)
        expected = np.trapezoid(5 * t * (1 + 0.5 * np.cos(np.pi / 2 * t)), t)
        assert len(at_s) == pytest.approx(expected, abs=1.5)


class TestBursts:
    ON_OFF = Bursts((State(1.0, exponential(0.2 * NS_PER_S)), State(9.0, exponential(0.1 * NS_PER_S))), 1)

    def test_the_variance_of_counts_is_that_of_a_markov_modulated_poisson_process(self):
        """Var N(t) = m t + 2 p q (a - b)^2 / s (t - (1 - e^(-s t)) / s), where a and b are the rates, p and q the shares of time, m their
        mean and s the sum of the rates of change (Fischer and Meier-Hellstern 1993). 1,600 s in 40 batches: a 99.9 % interval. The mean of
        all has a standard deviation of 1 %.
        """
        low, high, change, width = 300 / 11, 2700 / 11, 5 + 10, 0.1
        theory = 100 * width + 2 * (2 / 9) * (high - low) ** 2 / change * (width - (1 - math.exp(-change * width)) / change)
        found = [counts(steady(100.0, 40, bursts=self.ON_OFF), root, 40, width) for root in range(40)]
        variances = [np.mean((one - 100 * width) ** 2) for one in found]

        half_width = 3.56 * np.std(variances, ddof=1) / math.sqrt(40)
        assert abs(np.mean(variances) - theory) < half_width < 0.1 * theory
        assert np.mean(found) == pytest.approx(100 * width, rel=0.04)
        assert theory > 3 * 100 * width  # three times that of a Poisson process

    def test_even_requests_are_evenly_spaced_within_a_state(self):
        """30 and 270 requests a second, which are 33.3 and 3.7 ms apart; those in between have a change of state between them."""
        found = [at_ns for at_ns, _ in steady(110.0, 20, bursts=self.ON_OFF, is_poisson=False).arrive(1)]
        gaps_ms = np.round(np.diff(found) / 1e6, 3)

        assert set(gaps_ms[np.isin(gaps_ms, (33.333, 3.704))]) == {33.333, 3.704}
        assert ((gaps_ms >= 3.703) & (gaps_ms <= 33.334)).all()
        assert np.isin(gaps_ms, (33.333, 3.704)).mean() > 0.8

    def test_a_load_begins_in_the_middle_of_things(self):
        """2 s of silence and 1 s of work: a third of 1,000 loads begin at work, and have anything up to 1 s of it left with the same chance."""
        bursts = Bursts((State(0.0, Constant(value=2 * NS_PER_S).build()), State(1.0, Constant(value=1 * NS_PER_S).build())), 1)
        segment = Segment(0, 10 * NS_PER_S, 1.0, 1.0)
        first = [next(iter(bursts.over([segment], root_key(1, number, 5)))) for number in range(1000)]
        at_work = [one.duration_ns / NS_PER_S for one in first if one.from_rate]

        assert len(at_work) / 1000 == pytest.approx(1 / 3, abs=4 * math.sqrt(2 / 9 / 1000))
        assert np.mean(at_work) == pytest.approx(0.5, abs=4 / math.sqrt(12 * len(at_work)))
        assert max(at_work) <= 1.0

    def test_pieces_have_no_gap_and_go_through_the_states_in_turn(self):
        bursts = Bursts(tuple(State(float(number), exponential(NS_PER_S // 10)) for number in range(3)), 1)
        pieces = list(bursts.over([Segment(5, 10 * NS_PER_S, 3.0, 6.0), Segment(5 + 10 * NS_PER_S, NS_PER_S, 6.0, 6.0)], 9))

        assert (pieces[0].start_ns, sum(one.duration_ns for one in pieces)) == (5, 11 * NS_PER_S)
        assert all(one.start_ns + one.duration_ns == after.start_ns for one, after in pairwise(pieces))
        states = [round(one.from_rate / (3 + 3 * min(1, (one.start_ns - 5) / 10 / NS_PER_S))) for one in pieces]
        assert len(states) > 60
        assert all(after in (state, (state + 1) % 3) for state, after in pairwise(states))

    @pytest.mark.slow
    def test_sources_whose_states_have_heavy_tails_are_self_similar_together(self):
        """The variance of means over m windows falls as m^(2 H - 2) with H = (3 - alpha) / 2 = 0.8 in the limit (Willinger et al. 1997),
        and as 1 / m of short states. The mean of four runs' estimates of H has a standard error of about 0.04.
        """
        heavy, light = Pareto(minimum=0.1 * NS_PER_S, alpha=1.4).build(), exponential(0.35 * NS_PER_S)

        assert 0.64 < np.mean([hurst(heavy, root) for root in range(11, 15)]) < 0.95
        assert np.mean([hurst(light, root) for root in range(11, 15)]) < 0.62


def hurst(lasts, root):
    """Of ten on-off sources in 2,000 s, from the variances of means over 4 to 64 windows of a second."""
    widths = np.array([4, 8, 16, 32, 64])
    found = counts(steady(40.0, 2000, bursts=Bursts((State(0.0, lasts), State(1.0, lasts)), 10)), root, 2000, 1.0)
    spread = [found[: 2000 // width * width].reshape(-1, width).mean(axis=1).var() for width in widths]
    return 1 + np.polyfit(np.log(widths), np.log(spread), 1)[0] / 2


class TestReplay:
    STAMPS_MS = (0, 10, 30, 30, 70)

    @pytest.fixture(params=["csv", "parquet"])
    def file(self, request, tmp_path):
        frame = pd.DataFrame({"sent": self.STAMPS_MS})
        path = tmp_path / f"stamps.{request.param}"
        frame.to_csv(path, index=False) if request.param == "csv" else frame.to_parquet(path)
        return path

    def starts_ms(self, file, **load):
        made = {
            "name": "replay",
            "load": {"web": {"executor": "replay", "file": str(file), "unit": "ms", "requests": {"back": 1}, **load}},
            "services": {"back": {"workers": 100, "script": [{"compute": "1ms"}]}},
            "run": {"duration": "1s"},
        }
        return (np.sort(ms.load(made).run().requests["started_ns"]) / 1e6).tolist()

    def test_time_stamps_come_from_csv_and_parquet(self, file):
        assert self.starts_ms(file) == [0, 10, 30, 30, 70]

    def test_they_are_stretched(self, file):
        assert self.starts_ms(file, stretch=2.5) == [0, 25, 75, 75, 175]
        assert self.starts_ms(file, stretch=0.5, start="100ms") == [100, 105, 115, 115, 135]

    def test_a_scale_of_two_sends_another_one_before_the_next(self, file):
        found = self.starts_ms(file, scale=2)

        assert len(found) == 10
        assert [sum(low <= one < high for one in found) for low, high in ((0, 10), (10, 30), (30, 70), (70, 71))] == [2, 2, 4, 2]
        assert len(set(found)) == 7  # the last has no next one, and two in the record are at one instant

    def test_a_scale_below_one_leaves_requests_out_by_chance(self):
        """A quarter of 10,000, each by a draw of its own: the standard deviation is 43."""
        recorded = Recorded(np.arange(10_000, dtype=np.int64), 10_000, scale=0.25)
        found = [at_ns for at_ns, _ in recorded.arrive(3)]

        assert len(found) == pytest.approx(2500, abs=4 * 43)
        assert found == sorted(set(found))
        assert found != [at_ns for at_ns, _ in recorded.arrive(4)]


def test_bursts_and_swings_are_the_same_in_all_variants_and_others_in_each_replication():
    bursts = {"states": [{"intensity": 1, "lasts": "1s"}, {"intensity": 8, "lasts": {"exponential": {"mean": "200ms"}}}]}
    load = {"executor": "constant-arrival-rate", "rate": "50/s", "requests": {"back": 1}, "bursts": bursts}
    made = {
        "name": "bursts",
        "load": {"web": load},
        "services": {"back": {"workers": 100, "script": [{"compute": "1ms"}]}},
        "run": {"duration": "5s"},
        "variants": {"slow": {"services": {"back": {"script": [{"compute": "9ms"}]}}}},
    }
    starts = [
        tuple(ms.load(made, variant=variant).run(replication=number).requests["started_ns"].sort_values())
        for variant, number in ((None, 0), ("slow", 0), (None, 1))
    ]

    assert starts[0] == starts[1] != starts[2]


def test_check_judges_a_sinusoid_at_its_peak_and_bursts_in_the_mean():
    def warned(**shape):
        load = {"executor": "constant-arrival-rate", "rate": "80/s", "requests": {"back": 1}, **shape}
        services = {"back": {"script": [{"compute": "10ms"}]}}
        made = {"name": "judged", "load": {"web": load}, "services": services, "run": {"duration": "10s"}}
        return [remark.message.partition(" (")[0] for remark in remarks(load_scenario(made).scenario)]

    bursts = {"states": [{"intensity": 1, "lasts": "1s"}, {"intensity": 9, "lasts": "1s"}]}
    assert warned() == warned(bursts=bursts) == []
    assert warned(sinusoid={"amplitude": "50%", "period": "1s"}) == ["back is offered 120/s x 10ms = 1.2 busy workers, and has 1"]


@pytest.mark.parametrize(
    ("load", "message"),
    [
        ("bursts: {states: [{intensity: 1, lasts: 1s}]}", "load.web.bursts.states: needs 2 entries"),
        (
            "bursts: {states: [{intensity: 0, lasts: 1s}, {intensity: 0, lasts: 1s}]}",
            "load.web.bursts.states: one state at least needs an intensity above 0",
        ),
        (
            "bursts: {states: [{intensity: 1, lasts: 1us}, {intensity: 0, lasts: 1s}]}",
            "load.web.bursts.states[0].lasts: must be 1ms or more in the mean",
        ),
        ("sinusoid: {amplitude: 120%, period: 1h}", "load.web.sinusoid.amplitude: '120%' is more than 100%"),
        ("sinusoid: {amplitude: 10%, period: 1us}", "load.web.sinusoid.period: must be 1ms or more"),
        ("sinusoid: {amplitude: 10%}", "load.web.sinusoid.period: is missing"),
    ],
)
def test_a_wrong_shape_is_told_with_what_would_be_right(tmp_path, load, message):
    (tmp_path / "a.yaml").write_text(
        f"name: a\nload:\n  web: {{executor: constant-arrival-rate, rate: 1/s, requests: {{b: 1}}, {load}}}\n"
        "services: {b: {script: [{compute: 1ms}]}}\nrun: {duration: 1s}\n"
    )

    with pytest.raises(ms.ScenarioError) as caught:
        ms.load(tmp_path / "a.yaml")
    assert message in str(caught.value)
