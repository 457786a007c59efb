"""Logarithm, exponential, cosine and inverse normal with the same bits on every machine.

They use + - * / and comparisons, and `frexp`, `ldexp` and `sqrt`, whose results IEEE 754 fixes to the last bit. The `log` and
`exp` of C libraries and of NumPy differ in the last bit from library to library and from processor to processor; a service time
that rounds the other way reorders events, and two machines would no longer run the same world.
"""

from __future__ import annotations

import math

LARGEST_EXPONENT = 709.782712893384
"""`exp` of more is infinite."""
_SMALLEST_EXPONENT = -745.1332191019412
_LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_PER_LN2 = float.fromhex("0x1.71547652b82fep+0")
_SQRT_HALF = float.fromhex("0x1.6a09e667f3bcdp-1")


def ln(x: float) -> float:
    """Natural logarithm, within 1 unit in the last place.

    Args:
        x: Positive and finite.

    Source: fdlibm's e_log.c (Sun Microsystems, 1993): x = 2^k (1 + f), and ln(1 + f) = f - s (f - R) by a polynomial in
    s = f / (2 + f).
    """
    fraction, k = math.frexp(x)
    if fraction < _SQRT_HALF:
        fraction += fraction
        k -= 1
    f = fraction - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332))
    odd = z * (0.6666666666666735130 + w * (0.2857142874366239149 + w * (0.1818357216161805012 + w * 0.1479819860511658591)))
    half = 0.5 * f * f
    return k * _LN2_HIGH - ((half - (s * (half + even + odd) + k * _LN2_LOW)) - f)


def exp(x: float) -> float:
    """Exponential, within 1 unit in the last place; infinite above 709.78, 0 below -745.13.

    Source: fdlibm's e_exp.c (Sun Microsystems, 2004): x = k ln 2 + r, and exp(r) by a rational function of r.
    """
    if x > LARGEST_EXPONENT:
        return math.inf
    if x < _SMALLEST_EXPONENT:
        return 0.0
    k = int(_PER_LN2 * x + (0.5 if x >= 0 else -0.5))
    high = x - k * _LN2_HIGH
    low = k * _LN2_LOW
    r = high - low
    t = r * r
    c = r - t * (
        1.66666666666666019037e-01
        + t
        * (
            -2.77777777770155933842e-03
            + t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))
        )
    )
    return math.ldexp(1.0 - ((low - (r * c) / (2.0 - c)) - high), k)


def power(base: float, exponent: float) -> float:
    """`base` to the `exponent`, within a few units in the last place for moderate exponents.

    Args:
        base: Not negative; 0 gives 0 (1 where the exponent is 0).
        exponent: Any.
    """
    if base == 0.0:
        return 0.0 if exponent else 1.0
    return exp(exponent * ln(base))


def cosine(turns: float) -> float:
    """Cosine of so many whole turns (2 pi each), within 1e-15.

    Source: the series around 0 and around a quarter (Abramowitz and Stegun 1964, 4.3.65 and 4.3.66), up to an eighth of a turn.
    """
    turns = abs(turns - math.floor(turns + 0.5))
    sign = 1.0
    if turns > 0.25:
        turns, sign = 0.5 - turns, -1.0
    x = 2.0 * math.pi * (turns if turns <= 0.125 else 0.25 - turns)
    total = term = 1.0 if turns <= 0.125 else x
    for step in range(1, 10):
        last = 2 * step if turns <= 0.125 else 2 * step + 1
        term *= -x * x / (last * (last - 1))
        total += term
    return sign * total


def normal_quantile(u: float) -> float:
    """The number below which a standard normal variate falls with probability `u`; relative error about 1e-15.

    Args:
        u: Strictly between 0 and 1.

    Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37(3), 1988: PPND16.
    """
    q = u - 0.5
    if -0.425 <= q <= 0.425:
        r = 0.180625 - q * q
        # the usual case, without a call and without tables: it is drawn for every lognormal time
        above = 2.5090809287301226727e3 * r + 3.3430575583588128105e4
        above = above * r + 6.7265770927008700853e4
        above = above * r + 4.5921953931549871457e4
        above = above * r + 1.3731693765509461125e4
        above = above * r + 1.9715909503065514427e3
        above = above * r + 1.3314166789178437745e2
        above = above * r + 3.3871328727963666080e0
        below = 5.2264952788528545610e3 * r + 2.8729085735721942674e4
        below = below * r + 3.9307895800092710610e4
        below = below * r + 2.1213794301586595867e4
        below = below * r + 5.3941960214247511077e3
        below = below * r + 6.8718700749205790830e2
        below = below * r + 4.2313330701600911252e1
        below = below * r + 1.0
        return q * (above / below)
    r = math.sqrt(-ln(u if q < 0 else 1.0 - u))
    z = _ratio(r - 1.6, _MIDDLE_ABOVE, _MIDDLE_BELOW) if r <= 5.0 else _ratio(r - 5.0, _TAIL_ABOVE, _TAIL_BELOW)
    return -z if q < 0 else z


def ln_gamma(x: float) -> float:
    """Logarithm of the gamma function of x > 0; error below 1e-14, or 1e-15 of the result where that is more.

    Source: Stirling's series after shifting x above 10 (Abramowitz and Stegun 1964, 6.1.15 and 6.1.41).
    """
    shift = 1.0
    while x < 10.0:
        shift *= x
        x += 1.0
    y = 1.0 / (x * x)
    series = 1 / 12 + y * (-1 / 360 + y * (1 / 1260 + y * (-1 / 1680 + y * (1 / 1188 + y * (-691 / 360360 + y / 156)))))
    return (x - 0.5) * ln(x) - x + 0.9189385332046727 + series / x - ln(shift)


def gamma_tails(shape: float, ln_x: float) -> tuple[float, float]:
    """Probabilities that a gamma variate of scale 1 lies below and above x; the smaller of the two to about 1e-13.

    From a shape of 100 the relative error grows in proportion to it, to 1e-10 at 10,000.

    Args:
        shape: More than 0.
        ln_x: Logarithm of x, since of a small shape many quantiles are too small to be told from 0.

    Source: the series for x < shape + 1 and Lentz's continued fraction above (Abramowitz and Stegun 1964, 6.5.29 and 6.5.31;
    Press et al., Numerical Recipes, 2nd ed. 1992, section 6.2).
    """
    x = exp(ln_x)
    if x < shape + 1.0:
        below = exp(shape * ln_x - x - ln_gamma(shape + 1.0)) * _series(shape, x)
        return below, 1.0 - below
    above = exp(shape * ln_x - x - ln_gamma(shape)) * _continued_fraction(shape, x)
    return 1.0 - above, above


def _series(shape: float, x: float) -> float:
    """1 + x / (a + 1) + x^2 / ((a + 1) (a + 2)) + ..."""
    total = term = 1.0
    while term > total * 1e-17:
        shape += 1.0
        term *= x / shape
        total += term
    return total


def _continued_fraction(shape: float, x: float) -> float:
    """1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - 2 (2 - a) / (x + 5 - a - ...)))."""
    b = x + 1.0 - shape
    c = 1e300
    d = 1.0 / b
    total = d
    change = 0.0
    step = 0
    while abs(change - 1.0) > 1e-15:
        step += 1
        a = -step * (step - shape)
        b += 2.0
        d = 1.0 / (a * d + b)
        c = b + a / c
        change = c * d
        total *= change
    return total


_Coefficients = tuple[float, float, float, float, float, float, float, float]


def _ratio(r: float, above: _Coefficients, below: _Coefficients) -> float:
    a7, a6, a5, a4, a3, a2, a1, a0 = above
    b7, b6, b5, b4, b3, b2, b1, b0 = below
    return (((((((a7 * r + a6) * r + a5) * r + a4) * r + a3) * r + a2) * r + a1) * r + a0) / (
        ((((((b7 * r + b6) * r + b5) * r + b4) * r + b3) * r + b2) * r + b1) * r + b0
    )


_MIDDLE_ABOVE = (
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
)
_MIDDLE_BELOW = (
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
)
_TAIL_ABOVE = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
)
_TAIL_BELOW = (
    2.04426310338993978564e-15,
    1.42151175831644588870e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1.0,
)
