from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from meshsim.distributions import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Mixture,
    Pareto,
    Weibull,
)
from meshsim.random_blocks import request_keys, uniforms
from meshsim.randomness import SERVICE_TIME
from meshsim.units import LONGEST_NS, NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

MS = NS_PER_MS
OPEN_UNIT = st.integers(0, 2**52 - 1).map(lambda bits: (bits + 0.5) * 2.0**-52)
SHARES = [
    (round(u * 2**52) + 0.5) * 2.0**-52
    for u in (0, 1e-9, 1e-6, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1 - 1e-6, 1 - 1e-9, 1 - 2.0**-52)
]
"""Numbers that `uniform` may draw: of these, 1 - u is exact."""
CVS = (0.01, 0.1, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
HITS_AND_MISSES = Mixture(of=({"weight": 95, "time": Constant(value="3ms")}, {"weight": 5, "time": Exponential(mean="80ms")}))
MEASURED = {"p0": 1 * MS, "p50": 3 * MS, "p99.9": 20 * MS, "p100": 30 * MS}
IN_SCIPY: list[tuple[Distribution, Any]] = [
    (Exponential(mean="10ms"), stats.expon(scale=10 * MS)),
    (Lognormal(p50="1ms", p99="3ms"), stats.lognorm(math.log(3) / stats.norm.ppf(0.99), scale=1 * MS)),
    (Lognormal(mean="10ms", sigma=0.7), stats.lognorm(0.7, scale=10 * MS * math.exp(-(0.7**2) / 2))),
    (Lognormal(mean="10ms", cv=1.5), stats.lognorm(math.sqrt(math.log(3.25)), scale=10 * MS / math.sqrt(3.25))),
    (Weibull(mean="10ms", shape=0.5), stats.weibull_min(0.5, scale=10 * MS / math.gamma(3))),
    (Weibull(mean="10ms", shape=3.6), stats.weibull_min(3.6, scale=10 * MS / math.gamma(1 + 1 / 3.6))),
    (Pareto(minimum="2ms", alpha=2.5), stats.pareto(2.5, scale=2 * MS)),
]
ORDERED = [
    *(mine for mine, _ in IN_SCIPY),
    Constant(value="9ms"),
    *(Gamma(mean="12ms", cv=cv) for cv in CVS),
    Empirical(quantiles=MEASURED),
    Empirical(values=(5 * MS, 1 * MS, 9 * MS)),
]
NOT_TOO_SKEWED = [made for made in ORDERED if not (isinstance(made, Gamma) and made.cv > 3)]
"""Those of which the mean of a large sample is nearly normal; the means of the other tables are integrated."""


def label(made: object) -> str:
    return repr(made) if isinstance(made, Distribution) else ""


@pytest.mark.parametrize(("mine", "scipys"), IN_SCIPY, ids=label)
def test_quantiles_are_scipys(mine: Distribution, scipys: Any) -> None:
    built = mine.build()
    right = [scipys.ppf(u) if u < 0.5 else scipys.isf(1 - u) for u in SHARES]

    assert [built.quantile(u) for u in SHARES] == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize(("mine", "scipys"), IN_SCIPY, ids=label)
def test_means_are_scipys_before_and_after_build(mine: Distribution, scipys: Any) -> None:
    assert mine.mean_ns == pytest.approx(scipys.mean(), rel=1e-12)
    assert mine.build().mean_ns == mine.mean_ns


def test_a_lognormals_p50_and_p99_are_its_quantiles() -> None:
    made = Lognormal(p50="0.3ms", p99="1.5ms").build()

    assert (made.quantile(0.5), made.quantile(0.99)) == pytest.approx((0.3 * MS, 1.5 * MS), rel=1e-14)


@pytest.mark.parametrize("cv", CVS)
def test_gamma_quantiles_are_within_one_in_ten_million_of_scipys(cv: float) -> None:
    made, shape = Gamma(mean="10s", cv=cv).build(), 1 / cv**2
    tail = np.logspace(-9, -0.302, 300)
    low = stats.gamma.ppf(tail, shape, scale=10 * NS_PER_S / shape)
    high = stats.gamma.isf(tail, shape, scale=10 * NS_PER_S / shape)
    seen = low > 1e-280  # of a small shape SciPy's quantiles are lost below the smallest float

    assert [made.quantile(u) for u in tail[seen].tolist()] == pytest.approx(low[seen], rel=1e-7)
    assert [made.quantile(1 - u) for u in tail.tolist()] == pytest.approx(high, rel=1e-7)


@pytest.mark.parametrize("cv", CVS)
def test_a_gamma_tables_mean_is_the_mean(cv: float) -> None:
    made = Gamma(mean="10s", cv=cv).build()
    z = np.linspace(-8.2, 8.2, 4001)
    times = [made.quantile(float(u)) for u in stats.norm.cdf(z).clip(2**-53, 1 - 2**-53)]

    assert integrate.trapezoid(times * stats.norm.pdf(z), z) == pytest.approx(10 * NS_PER_S, rel=1e-7)


def test_gamma_of_cv_1_is_exponential() -> None:
    gamma, exponential = Gamma(mean="10ms", cv=1).build(), Exponential(mean="10ms").build()

    assert [gamma.quantile(u) for u in SHARES] == pytest.approx([exponential.quantile(u) for u in SHARES], rel=1e-8)


@pytest.mark.parametrize(
    ("made", "bits"),
    [
        (
            Exponential(mean="10ms"),
            ["0x1.312d000000000p-30", "0x1.b364eb83dd806p+21", "0x1.0b87757c91cfbp+25", "0x1.5e59745b25f96p+28"],
        ),
        (
            Lognormal(p50="1ms", p99="3ms"),
            ["0x1.43a8f24774c60p+14", "0x1.7d2b7119037d0p+19", "0x1.28b8f979d881bp+21", "0x1.7051044402442p+25"],
        ),
        (
            Gamma(mean="12ms", cv=0.8),
            ["0x1.31ea02c6e31f5p-11", "0x1.63aa3f72b17e2p+22", "0x1.0ccdce25813c9p+25", "0x1.1d1ce33a32e96p+28"],
        ),
        (
            Gamma(mean="12ms", cv=3),
            ["0x1.f891ae107636cp-452", "0x1.456fccfcc0dd2p+10", "0x1.81b12e5f451f9p+26", "0x1.958e0a158fbaap+31"],
        ),
        (
            Weibull(mean="10ms", shape=0.5),
            ["0x1.312d000000014p-84", "0x1.3696a2805b340p+19", "0x1.d50d9eb7d8343p+25", "0x1.9235bcd47b2bdp+32"],
        ),
        (
            Pareto(minimum="2ms", alpha=2.5),
            ["0x1.e848000000000p+20", "0x1.199451b97976fp+21", "0x1.f051daeb4b556p+22", "0x1.1871a5ae115f0p+42"],
        ),
        (
            Empirical(quantiles=MEASURED),
            ["0x1.e848000000004p+19", "0x1.0c8e000000000p+21", "0x1.2219b80c50083p+24", "0x1.c9c37fffffed6p+24"],
        ),
        (HITS_AND_MISSES, ["0x1.6e36000000000p+21", "0x1.6e36000000000p+21", "0x1.37c880f35d1e6p+25", "0x1.41c7a7af6133ep+31"]),
    ],
    ids=label,
)
def test_times_have_these_bits_on_every_machine(made: Distribution, bits: list[str]) -> None:
    built = made.build()

    assert [built.quantile(u).hex() for u in (2.0**-53, 0.3, 0.97, 1 - 2.0**-53)] == bits


@pytest.mark.parametrize("made", ORDERED, ids=label)
def test_a_quantile_is_finite_not_negative_and_does_not_fall(made: Distribution) -> None:
    built = made.build()

    @given(OPEN_UNIT, OPEN_UNIT)
    def holds(u: float, v: float) -> None:
        low, high = built.quantile(min(u, v)), built.quantile(max(u, v))
        assert 0 <= low <= high * (1 + 1e-13)
        assert high <= LONGEST_NS
        assert isinstance(low, float | int)

    holds()


@pytest.mark.parametrize("made", [*NOT_TOO_SKEWED, HITS_AND_MISSES], ids=label)
def test_the_mean_of_drawn_times_is_the_mean(made: Distribution) -> None:
    """100,000 draws; off by more than five standard errors by chance about once in a million (the keys are fixed)."""
    built = made.build()
    times = np.array([built.quantile(u) for u in uniforms(request_keys(1, 0, 100_000), SERVICE_TIME).tolist()])

    assert abs(times.mean() - made.mean_ns) <= 5 * times.std() / math.sqrt(len(times))


def test_heavy_tails_end_at_ten_years() -> None:
    for made in (Pareto(minimum="1h", alpha=1.01), Weibull(mean="24h", shape=0.1), Lognormal(p50="1us", p99="1h")):
        assert made.build().quantile(1 - 2.0**-53) == LONGEST_NS


def test_a_mixture_chooses_and_draws_by_one_number() -> None:
    built, misses = HITS_AND_MISSES.build(), Exponential(mean="80ms").build()

    assert [built.quantile(u) for u in (2.0**-53, 0.5, 0.9499)] == [3 * MS] * 3
    assert built.quantile(0.95 + 0.05 * 0.3) == pytest.approx(misses.quantile(0.3), rel=1e-12)
    assert HITS_AND_MISSES.mean_ns == pytest.approx(6.85 * MS)


def test_a_mixtures_borders_belong_to_a_component() -> None:
    """A number on a border would be 0 inside of the component, where the exponential has no logarithm to take."""
    halves = Mixture(of=tuple({"weight": 1, "time": Exponential(mean="1ms")} for _ in range(2))).build()

    assert 0 < halves.quantile(0.5) < 1
    assert halves.quantile(0.5 - 2.0**-53) == pytest.approx(1 * MS * 52 * math.log(2), rel=1e-9)


def test_a_component_of_weight_0_is_never_drawn() -> None:
    made = Mixture(of=({"weight": 0, "time": Constant(value="1s")}, {"weight": 1, "time": Constant(value="2s")})).build()

    assert {made.quantile(u) for u in SHARES} == {2 * NS_PER_S}


def test_between_quantiles_times_lie_on_a_line() -> None:
    made = Empirical(quantiles={"p0": "1ms", "p50": "3ms", "p100": "9ms"}).build()

    assert [made.quantile(u) for u in (0.25, 0.5, 0.75)] == [2 * MS, 3 * MS, 6 * MS]
    assert made.mean_ns == 4 * MS


def test_each_value_of_a_sample_is_equally_likely() -> None:
    made = Empirical(values=("9ms", "1ms", "2ms")).build()

    assert [made.quantile(u) for u in (2.0**-53, 0.33, 0.34, 0.66, 0.67, 1 - 2.0**-53)] == [n * MS for n in (1, 1, 2, 2, 9, 9)]
    assert made.mean_ns == 4 * MS


def test_a_sample_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "times.csv"
    file.write_text("page,seconds\n1,0.004\n2,0.001\n")
    np.save(tmp_path / "times.npy", np.array([4.0, 1.0]))
    made = Empirical(file=file, column="seconds", unit="s")
    made.check()

    assert [made.build().quantile(u) for u in (0.1, 0.9)] == [1 * MS, 4 * MS]
    assert Empirical(file=tmp_path / "times.npy", unit="ms").mean_ns == 2.5 * MS


@pytest.mark.parametrize("made", [*ORDERED, HITS_AND_MISSES], ids=label)
def test_right_settings_pass(made: Distribution) -> None:
    made.check()


def test_a_family_answers_nothing_itself() -> None:
    with pytest.raises(NotImplementedError):
        Distribution().quantile(0.5)
    with pytest.raises(NotImplementedError):
        _ = Distribution().mean_ns
