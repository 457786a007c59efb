"""What stands before the gateway's replicas: which of them a client's new connection goes to."""

from meshsim.policies.edge.dns_round_robin import DnsRoundRobin
from meshsim.policies.edge.edge_balancer import NOBODY, EdgeBalancer, EdgeBalancerState
from meshsim.policies.edge.least_connections import LeastConnections
from meshsim.policies.edge.random_replica import RandomReplica
from meshsim.policies.edge.source_hash import SourceHash
from meshsim.policies.edge.take_turns import TakeTurns

__all__ = [
    "NOBODY",
    "DnsRoundRobin",
    "EdgeBalancer",
    "EdgeBalancerState",
    "LeastConnections",
    "RandomReplica",
    "SourceHash",
    "TakeTurns",
]
