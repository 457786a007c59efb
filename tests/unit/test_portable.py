from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from meshsim.portable import LARGEST_EXPONENT, exp, gamma_tails, ln, ln_gamma, normal_quantile

POSITIVE = st.floats(min_value=5e-324, max_value=1.7976931348623157e308)
OPEN_UNIT = st.integers(0, 2**52 - 1).map(lambda bits: (bits + 0.5) * 2.0**-52)
SHAPES = (0.01, 0.04, 0.25, 0.5, 1.0, 1.5625, 4.0, 25.0, 100.0, 1e4)

LN = {
    5e-324: "-0x1.74385446d71c3p+9", 1e-300: "-0x1.5963447f87fb5p+9", 1.1102230246251565e-16: "-0x1.25e4f7b2737fap+5",
    1e-09: "-0x1.4b927f32bffb8p+4", 0.001: "-0x1.ba18a998fffa0p+2", 0.01: "-0x1.26bb1bbb55516p+2",
    0.1: "-0x1.26bb1bbb55515p+1", 0.25: "-0x1.62e42fefa39efp+0", 0.3: "-0x1.34378fcbda721p+0",
    0.5: "-0x1.62e42fefa39efp-1", 0.7: "-0x1.6d3c324e13f50p-2", 0.7071067811865475: "-0x1.62e42fefa39f1p-2",
    0.7071067811865476: "-0x1.62e42fefa39eep-2", 0.9: "-0x1.af8e8210a415cp-4", 0.999: "-0x1.064670d979b73p-10",
    0.9999999999999999: "-0x1.0000000000000p-53", 1.0: "0x0.0p+0", 1.0000000000000002: "0x1.fffffffffffffp-53",
    1.5: "0x1.9f323ecbf984cp-2", 2.0: "0x1.62e42fefa39efp-1", 2.718281828459045: "0x1.0000000000000p+0",
    10.0: "0x1.26bb1bbb55516p+1", 1000000.0: "0x1.ba18a998fffa0p+3", 1000000000.0: "0x1.4b927f32bffb8p+4",
    1e+300: "0x1.5963447f87fb5p+9",
}  # fmt: skip
EXP = {
    -745.0: "0x0.0000000000001p-1022", -700.0: "0x1.14f2b0fb9307fp-1010", -100.0: "0x1.a8c1f14e2af5dp-145",
    -36.7: "0x1.0998b04bdd190p-53", -10.0: "0x1.7cd79b5647c9ap-15", -3.3: "0x1.2e259bb85be85p-5",
    -1.0: "0x1.78b56362cef38p-2", -0.5: "0x1.368b2fc6f960ap-1", -0.3465735902799727: "0x1.6a09e667f3bccp-1",
    -0.1: "0x1.cf46d99d52b3ap-1", -1e-09: "0x1.fffffff768fa1p-1", 0.0: "0x1.0000000000000p+0",
    1e-300: "0x1.0000000000000p+0", 1e-09: "0x1.000000044b830p+0", 0.1: "0x1.1aec7b35a00d4p+0",
    0.3465735902799727: "0x1.6a09e667f3bcdp+0", 0.5: "0x1.a61298e1e069cp+0", 1.0: "0x1.5bf0a8b14576ap+1",
    2.3263478740408408: "0x1.47b1f5cf2d1ffp+3", 3.3: "0x1.b1cd5e7807b7bp+4", 10.0: "0x1.5829dcf950560p+14",
    16.0: "0x1.0f2ebd0a80020p+23", 36.7: "0x1.ed8026b267154p+52", 100.0: "0x1.3494a9b171bf5p+144",
    700.0: "0x1.d945df4f8ec8ep+1009",
}  # fmt: skip
NORMAL_QUANTILE = {
    1.1102230246251565e-16: "-0x1.06b48528cea51p+3", 1e-15: "-0x1.fc3f007789667p+2", 1e-12: "-0x1.c234fba57a32ap+2",
    1e-11: "-0x1.ad2f7bbec4805p+2", 1e-09: "-0x1.7fdc11f44b5a7p+2", 1e-06: "-0x1.30381a9799f7ep+2",
    0.0001: "-0x1.dc08bb712893ap+1", 0.001: "-0x1.8b8cbb7204470p+1", 0.01: "-0x1.29c5c4630ff0ep+1",
    0.05: "-0x1.a515209676abdp+0", 0.0749: "-0x1.70b374817af50p+0", 0.075: "-0x1.7085226d3e523p+0",
    0.1: "-0x1.4813c36e26d33p+0", 0.25: "-0x1.5956b87528a49p-1", 0.4: "-0x1.036d6c4a04b59p-2",
    0.5: "0x0.0p+0", 0.6: "0x1.036d6c4a04b59p-2", 0.75: "0x1.5956b87528a49p-1",
    0.9: "0x1.4813c36e26d33p+0", 0.925: "0x1.7085226d3e524p+0", 0.95: "0x1.a515209676ab8p+0",
    0.99: "0x1.29c5c4630ff0cp+1", 0.999: "0x1.8b8cbb7204470p+1", 0.999999: "0x1.30381a97985f1p+2",
    0.9999999999999999: "0x1.06b48528cea51p+3",
}  # fmt: skip
LN_GAMMA = {
    0.01: "0x1.265de0d9b33c2p+2", 0.1: "0x1.2058e35f3deecp+1", 0.5: "0x1.250d048e7a1b0p-1",
    1.0: "0x1.0000000000000p-49", 1.5: "-0x1.eeb95b094c200p-4", 1.5625: "-0x1.de09eca482f80p-4",
    2.0: "0x1.0000000000000p-49", 3.0: "0x1.62e42fefa3a00p-1", 4.0: "0x1.cab0bfa2a2008p+0",
    9.99: "0x1.98f02675dd192p+3", 10.0: "0x1.99a8921a7f7d0p+3", 25.0: "0x1.b6472034e8d14p+5",
    100.0: "0x1.67225b4879462p+8", 10000.0: "0x1.40b3b7add8cb0p+16",
}  # fmt: skip


def ulps(got: float, right: float) -> float:
    """Distance in units in the last place."""
    return abs(got - right) / math.ulp(right)


@pytest.mark.parametrize(("x", "bits"), LN.items())
def test_ln_has_these_bits_on_every_machine(x: float, bits: str) -> None:
    assert ln(x).hex() == bits


@pytest.mark.parametrize(("x", "bits"), EXP.items())
def test_exp_has_these_bits_on_every_machine(x: float, bits: str) -> None:
    assert exp(x).hex() == bits


@pytest.mark.parametrize(("u", "bits"), NORMAL_QUANTILE.items())
def test_normal_quantile_has_these_bits_on_every_machine(u: float, bits: str) -> None:
    assert normal_quantile(u).hex() == bits


@pytest.mark.parametrize(("x", "bits"), LN_GAMMA.items())
def test_ln_gamma_has_these_bits_on_every_machine(x: float, bits: str) -> None:
    assert ln_gamma(x).hex() == bits


@given(POSITIVE)
def test_ln_is_within_one_unit_in_the_last_place(x: float) -> None:
    assert ulps(ln(x), math.log(x)) <= 2  # the C library may be off by one on the other side


@given(OPEN_UNIT)
def test_ln_of_a_drawn_number_is_negative_and_finite(u: float) -> None:
    assert -math.inf < ln(u) < 0


@given(st.floats(-745, 709))
def test_exp_is_within_one_unit_in_the_last_place(x: float) -> None:
    assert ulps(exp(x), math.exp(x)) <= 2


def test_exp_beyond_the_range_is_infinite_or_zero() -> None:
    assert (exp(LARGEST_EXPONENT), exp(710), exp(-746), exp(-math.inf)) == (math.exp(LARGEST_EXPONENT), math.inf, 0, 0)


@given(st.floats(-700, 700))
def test_ln_undoes_exp(x: float) -> None:
    assert ln(exp(x)) == pytest.approx(x, rel=1e-15, abs=2e-16)


def test_normal_quantile_is_scipys() -> None:
    from_below = np.concatenate([np.logspace(-16, -0.302, 4000), np.linspace(0.001, 0.999, 4001)])

    assert [normal_quantile(u) for u in from_below.tolist()] == pytest.approx(special.ndtri(from_below), rel=1e-13, abs=1e-15)


@given(OPEN_UNIT)
def test_normal_quantile_is_the_standard_librarys_to_1e_15(u: float) -> None:
    assert normal_quantile(u) == pytest.approx(NormalDist().inv_cdf(u), rel=2e-15, abs=1e-16)


@given(OPEN_UNIT)
def test_normal_quantile_is_odd(u: float) -> None:
    assert normal_quantile(1 - u) == -normal_quantile(u)


@given(OPEN_UNIT, OPEN_UNIT)
def test_normal_quantile_does_not_fall(u: float, v: float) -> None:
    low, high = sorted((u, v))

    assert normal_quantile(low) <= normal_quantile(high) + 1e-15 * abs(normal_quantile(high))


@given(st.floats(1e-6, 1e6))
def test_ln_gamma_is_the_c_librarys(x: float) -> None:
    assert ln_gamma(x) == pytest.approx(math.lgamma(x), rel=1e-15, abs=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
def test_gamma_tails_are_scipys(shape: float) -> None:
    """The smaller tail, which is the one that keeps its digits; error as the docstring states, with SciPy's own on top."""
    for u in (1e-9, 1e-4, 0.1, 0.5, 0.9, 1 - 1e-4, 1 - 1e-9):
        x = float(special.gammaincinv(shape, u))
        if x < 1e-290:
            continue
        below, above = gamma_tails(shape, math.log(x))
        tolerance = 1e-11 + 2e-14 * shape

        assert min(below, above) == pytest.approx(min(special.gammainc(shape, x), special.gammaincc(shape, x)), rel=tolerance)


def test_gamma_tails_of_shape_1_are_exponential() -> None:
    below, above = gamma_tails(1.0, math.log(3.0))

    assert (below, above) == pytest.approx((1 - math.exp(-3), math.exp(-3)), rel=1e-14)


def test_gamma_tails_of_numbers_too_small_for_a_float_follow_the_power() -> None:
    """P(a, x) = x^a / Gamma(a + 1) near 0, also where x itself is 0."""
    below, _ = gamma_tails(0.01, -1000.0)

    assert below == pytest.approx(math.exp(-10 - math.lgamma(1.01)), rel=1e-14)
