"""Zones that callers share their requests among, and that have nobody to stand in for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.locality import LocalityDistribute
from meshsim.scenario.advice.destinations import hosts_of, using
from meshsim.scenario.advice.remark import Kind, Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.advice.destinations import Destination
    from meshsim.scenario.flow.flow import Flow


def shares_without_a_substitute(flow: Flow) -> Iterator[Remark]:
    """Rows of `locality_distribute` that leave hosts out which a reader may take for a reserve, or that leave nobody."""
    for path, all_of_it in using(flow, "locality"):
        for one in all_of_it:
            locality = one.traffic.locality
            if isinstance(locality, LocalityDistribute):
                where = dict.fromkeys(host.zone for host in hosts_of(flow.scenario.services[one.service]))
                for caller in one.zones:
                    known = [zone for zone in where if locality.reaches(caller, zone)]
                    left_out = [zone for zone in where if zone not in known]
                    row = (*path, "locality_distribute", "distribute", caller if caller in locality.distribute else "*")
                    if not known:
                        yield Remark(
                            Kind.NOBODY_IN_THE_ZONES,
                            row,
                            f"{one.service} has nobody in the zones with a share: every call from {_at(caller)} fails with UH",
                        )
                    elif left_out and _may_be_all_out(flow, one):
                        yield Remark(
                            Kind.NO_SUBSTITUTE_ZONE,
                            row,
                            f"callers in {_at(caller)} do not know the hosts of {one.service} in {_and(left_out)}: when all in"
                            f" {_and(known)} are out, calls fail with UH; give {_and(left_out)} a share, or write locality_failover",
                        )


def _may_be_all_out(flow: Flow, one: Destination) -> bool:
    """Whether anything can take every host out."""
    outliers, traffic = one.traffic.outliers, one.traffic
    ejects_all = outliers is not None and outliers.max_ejection_percent >= 1.0
    has_probes = flow.scenario.services[one.service].readiness is not None
    return ejects_all or traffic.accrual is not None or traffic.health_checks is not None or has_probes


def _at(zone: str) -> str:
    return zone or "no zone"


def _and(zones: list[str]) -> str:
    return " and ".join(_at(zone) for zone in zones)


CHECKS = (shares_without_a_substitute,)
