import math
from statistics import NormalDist
from meshsim.registry import Policy,family,policy
from meshsim.units import Duration
@family("distribution")
class Distribution(Policy):
    pass
@policy
class Constant(Distribution):
    value: Duration
    def quantile(self,u): return self.value
    @property
    def mean_ns(self): return self.value
@policy
class Exponential(Distribution):
    mean: Duration
    def quantile(self,u): return -self.mean*math.log1p(-u)
@policy
class Lognormal(Distribution):
    mean: Duration
    sigma: float
    def set_up(self):
        self._inv=NormalDist(math.log(self.mean)-self.sigma**2/2,self.sigma).inv_cdf
    def quantile(self,u): return math.exp(self._inv(u))
