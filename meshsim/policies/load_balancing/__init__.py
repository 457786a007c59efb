"""Load balancing: which endpoint gets the next request of one proxy's view of a destination."""

from meshsim.policies.load_balancing.aperture import Aperture
from meshsim.policies.load_balancing.balancer import FROM_THE_START, NO_HASH, Draw, Endpoint, LoadBalancer, LoadBalancerState
from meshsim.policies.load_balancing.client_side_weighted_round_robin import ClientSideWeightedRoundRobin
from meshsim.policies.load_balancing.deterministic_subsetting import DeterministicSubsetting
from meshsim.policies.load_balancing.hashing import Hashing
from meshsim.policies.load_balancing.least_reported_load import LeastReportedLoad
from meshsim.policies.load_balancing.least_request import LeastRequest
from meshsim.policies.load_balancing.maglev import Maglev
from meshsim.policies.load_balancing.peak_ewma import PeakEwma
from meshsim.policies.load_balancing.random import Random
from meshsim.policies.load_balancing.ring_hash import RingHash
from meshsim.policies.load_balancing.round_robin import RoundRobin
from meshsim.policies.load_balancing.slow_start import SlowStart

__all__ = [
    "FROM_THE_START",
    "NO_HASH",
    "Aperture",
    "ClientSideWeightedRoundRobin",
    "DeterministicSubsetting",
    "Draw",
    "Endpoint",
    "Hashing",
    "LeastReportedLoad",
    "LeastRequest",
    "LoadBalancer",
    "LoadBalancerState",
    "Maglev",
    "PeakEwma",
    "Random",
    "RingHash",
    "RoundRobin",
    "SlowStart",
]
