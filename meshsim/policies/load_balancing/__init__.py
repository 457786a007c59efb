"""Load balancing: which endpoint gets the next request of one proxy's view of a destination."""

from meshsim.policies.load_balancing.balancer import Draw, Endpoint, LoadBalancer
from meshsim.policies.load_balancing.least_request import LeastRequest
from meshsim.policies.load_balancing.random import Random
from meshsim.policies.load_balancing.round_robin import RoundRobin

__all__ = ["Draw", "Endpoint", "LeastRequest", "LoadBalancer", "Random", "RoundRobin"]
