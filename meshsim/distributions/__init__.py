"""Distributions of times: how long work, a proxy's own share of it, a network's way or a pause takes.

Each turns one uniform number into one time by its inverse distribution function, so that a draw stays one draw whatever the
distribution, and the arithmetic is `meshsim.portable`'s, so that it is the same time on every machine.
"""

from meshsim.distributions.constant import Constant
from meshsim.distributions.distribution import Distribution
from meshsim.distributions.empirical import Empirical
from meshsim.distributions.exponential import Exponential
from meshsim.distributions.gamma import Gamma
from meshsim.distributions.lognormal import Lognormal
from meshsim.distributions.mixture import Component, Mixture
from meshsim.distributions.pareto import Pareto
from meshsim.distributions.weibull import Weibull

__all__ = [
    "Component",
    "Constant",
    "Distribution",
    "Empirical",
    "Exponential",
    "Gamma",
    "Lognormal",
    "Mixture",
    "Pareto",
    "Weibull",
]
