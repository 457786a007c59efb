"""Locality: priorities, zones and panic, which decide among whom the load balancer picks."""

from meshsim.policies.locality.ignore_zones import IgnoreZones
from meshsim.policies.locality.locality import ALL_HOSTS, HEALTHY_HOSTS, Arrangement, Host, Locality, LocalityState, Source
from meshsim.policies.locality.locality_distribute import LocalityDistribute
from meshsim.policies.locality.locality_failover import LocalityFailover
from meshsim.policies.locality.locality_weighted import LocalityWeighted
from meshsim.policies.locality.priorities import is_panic, priority_loads
from meshsim.policies.locality.zone_aware import ZoneAware

__all__ = [
    "ALL_HOSTS",
    "HEALTHY_HOSTS",
    "Arrangement",
    "Host",
    "IgnoreZones",
    "Locality",
    "LocalityDistribute",
    "LocalityFailover",
    "LocalityState",
    "LocalityWeighted",
    "Source",
    "ZoneAware",
    "is_panic",
    "priority_loads",
]
