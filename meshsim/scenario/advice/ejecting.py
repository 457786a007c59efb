"""Outlier detection that cannot eject, and failover that nothing sets off."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

from meshsim.policies.locality import LocalityFailover
from meshsim.scenario.advice.destinations import destinations, most_hosts, using
from meshsim.scenario.advice.remark import Remark, count, number, time
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.policies.outlier_detection import OutlierDetection
    from meshsim.scenario.advice.destinations import Destination
    from meshsim.scenario.flow.flow import Flow

COMPARISONS = {"success_rate": "success rates", "failure_percentage": "failure percentages"}
SURELY = 4.0
"""Standard deviations of a Poisson number that it does not exceed, for practical purposes."""


def never_ejecting(flow: Flow) -> Iterator[Remark]:
    """Outlier detection that may take no host out, or that never has enough to compare."""
    for path, all_of_it in using(flow, "outlier_detection"):
        one = max(all_of_it, key=lambda destination: most_hosts(flow, destination))
        hosts = most_hosts(flow, one)
        if not hosts:  # what is wrong then is not the ejection
            continue
        if hosts == 1:
            yield Remark(
                path,
                f"{one.service} has one replica: nobody is there in place of a host that is ejected; give it more replicas,"
                " or take outlier_detection out",
            )
        elif (outliers := one.traffic.outliers) and not outliers.always_eject_one_host and not _may_go(outliers, hosts):
            yield Remark(
                (*path, "max_ejection_percent"),
                f"{outliers.max_ejection_percent * 100:g}% of {one.service}'s {hosts} hosts is less than one, so that none is ever"
                f" ejected; write max_ejection_percent: {ceil(100 / hosts)}%, or always_eject_one_host: true",
            )
        else:
            for kind in COMPARISONS:
                reasons = [_incomparable(flow, destination, kind) for destination in all_of_it]
                if reasons and all(reasons):
                    yield Remark((*path, reasons[0][0]), reasons[0][1])


def _may_go(outliers: OutlierDetection, hosts: int) -> bool:
    return outliers.max_ejection_percent * hosts * (1 + 1e-12) >= 1


def _incomparable(flow: Flow, one: Destination, kind: str) -> tuple[str, ...]:
    """The setting that is in the way, and why; nothing where hosts can be compared, or where nobody asked for it."""
    outliers, words, hosts = one.traffic.outliers, COMPARISONS[kind], max(1, most_hosts(flow, one))
    if outliers is None or not getattr(outliers, f"enforcing_{kind}") or not _is_asked_for(one, outliers, kind):
        return ()
    least, volume = getattr(outliers, f"{kind}_minimum_hosts"), getattr(outliers, f"{kind}_request_volume")
    if hosts < least:
        message = (
            f"{words} are compared from {count(least, 'host')} on, and {one.service} has {hosts}: nothing is ejected for them;"
        )
        return f"{kind}_minimum_hosts", f"{message} write {kind}_minimum_hosts: {hosts}"
    seen = one.rate / one.callers / hosts * outliers.interval / NS_PER_S
    if seen and not flow.has_unknown_rates and seen + SURELY * sqrt(seen) < volume:
        sent = (
            f"{one.who} sends each host of {one.service} about {number(seen)} requests in {time(outliers.interval)} at the peak"
        )
        remedy = f"write {kind}_request_volume: {max(1, int(seen / 2))}, or a longer interval"
        return f"{kind}_request_volume", f"{sent}, and {words} count from {volume} on: nothing is ejected for them; {remedy}"
    return ()


def _is_asked_for(one: Destination, outliers: OutlierDetection, kind: str) -> bool:
    """Whether the file names this kind of comparison, or has nothing else that ejects."""
    named = any(name.removeprefix("enforcing_").startswith(kind) for name in one.written("outlier_detection").model_fields_set)
    rows = [
        (outliers.consecutive_5xx, outliers.enforcing_consecutive_5xx),
        (outliers.consecutive_gateway_failure, outliers.enforcing_consecutive_gateway_failure),
        (
            outliers.consecutive_local_origin_failure * outliers.split_external_local_origin_errors,
            outliers.enforcing_consecutive_local_origin_failure,
        ),
    ]
    return named or not any(row and share for row, share in rows)


def failover_that_nothing_sets_off(flow: Flow) -> Iterator[Remark]:
    """Zones or priorities to fall back on, and nothing that makes a host count as ill."""
    for path, all_of_it in using(flow, "locality"):
        failing = [one for one in all_of_it if isinstance(one.traffic.locality, LocalityFailover)]
        blind = [one.service for one in failing if not one.takes_hosts_out and not _has_probes(flow, one.service)]
        if blind:
            yield Remark(
                path,
                "locality_failover leaves a zone when its hosts are out, and nothing takes hosts of"
                f" {', '.join(dict.fromkeys(blind))} out: a zone that fails goes on getting its requests; add outlier_detection or"
                " health_checks",
            )
    leveled = {
        name: levels for name, one in flow.scenario.services.items() if len(levels := sorted(set(one.priorities or ()))) > 1
    }
    for name, levels in leveled.items():
        callers = [one for one in destinations(flow) if one.service == name]
        if callers and not _has_probes(flow, name) and not any(map(_leaves_a_priority, callers)):
            yield Remark(
                ("services", name, "priorities"),
                f"priority {levels[1]} gets requests when hosts of priority {levels[0]} are out, and nothing takes hosts of {name}"
                " out; add outlier_detection or health_checks to what its callers do",
            )


def _leaves_a_priority(one: Destination) -> bool:
    retries = one.traffic.retries
    return one.takes_hosts_out or (retries is not None and retries.avoids_previous_priorities)


def _has_probes(flow: Flow, service: str) -> bool:
    """Whether the registry notices crashes: a zone or priority without any host left is left as well."""
    return flow.scenario.services[service].readiness is not None


CHECKS = (never_ejecting, failover_that_nothing_sets_off)
