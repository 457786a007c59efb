"""The Plan: what an engine is given.

Flat tables of small integers, nanoseconds and built policies. No names in it decide anything (they are carried in `Names` for
those who write results), no YAML, no defaults left open. `meshsim.planning` makes it from a Scenario.
"""

from meshsim.plan.caches import Cache, Eviction
from meshsim.plan.failing import Failing
from meshsim.plan.kinds import NONE, Effect, HashOn, HealthStatus, MessageEnd, OnCancel, OnFull, StepKind
from meshsim.plan.layers import BARE, Hedging, Mirror, Persistence, Retries, Stack
from meshsim.plan.plan import Asker, Breakdowns, Canary, Fault, Names, Network, Part, Plan, Route, Source
from meshsim.plan.prices import Prices
from meshsim.plan.proxies import Ambient, Ask, Direct, Edge, EdgeTls, Gateway, Mesh, ProxyKind
from meshsim.plan.queues import MessageQueue
from meshsim.plan.rollouts import Revision, Rollouts
from meshsim.plan.scaling import Autoscaling, Measured, ScalingMetric, TargetKind
from meshsim.plan.services import ConnectionPool, Cpu, Lifecycle, Operation, Queue, Service, Step, every_step
from meshsim.plan.traffic import Backend, BalancerQueue, Cluster, Connections, Discovery, HealthCheck, Limits, Tls

__all__ = [
    "BARE",
    "NONE",
    "Ambient",
    "Ask",
    "Asker",
    "Autoscaling",
    "Backend",
    "BalancerQueue",
    "Breakdowns",
    "Cache",
    "Canary",
    "Cluster",
    "ConnectionPool",
    "Connections",
    "Cpu",
    "Direct",
    "Discovery",
    "Edge",
    "EdgeTls",
    "Effect",
    "Eviction",
    "Failing",
    "Fault",
    "Gateway",
    "HashOn",
    "HealthCheck",
    "HealthStatus",
    "Hedging",
    "Lifecycle",
    "Limits",
    "Measured",
    "Mesh",
    "MessageEnd",
    "MessageQueue",
    "Mirror",
    "Names",
    "Network",
    "OnCancel",
    "OnFull",
    "Operation",
    "Part",
    "Persistence",
    "Plan",
    "Prices",
    "ProxyKind",
    "Queue",
    "Retries",
    "Revision",
    "Rollouts",
    "Route",
    "ScalingMetric",
    "Service",
    "Source",
    "Stack",
    "Step",
    "StepKind",
    "TargetKind",
    "Tls",
    "every_step",
]
