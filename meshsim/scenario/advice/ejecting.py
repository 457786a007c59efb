"""Outlier detection that cannot eject, and failover that nothing sets off."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING, NamedTuple

from meshsim.policies.locality import LocalityFailover
from meshsim.scenario.advice.destinations import destinations, most_hosts, using
from meshsim.scenario.advice.remark import Kind, Remark, count, number, time
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
                Kind.EJECTION_OF_THE_ONLY_HOST,
                path,
                f"{one.service} has one replica: nobody is there in place of a host that is ejected; give it more replicas,"
                " or take outlier_detection out",
            )
        elif (outliers := one.traffic.outliers) and not outliers.always_eject_one_host and not _may_go(outliers, hosts):
            yield Remark(
                Kind.EJECTION_PERCENT_BELOW_ONE_HOST,
                (*path, "max_ejection_percent"),
                f"{outliers.max_ejection_percent * 100:g}% of {one.service}'s {hosts} hosts is less than one, so that none is ever"
                f" ejected; write max_ejection_percent: {ceil(100 / hosts)}%, or always_eject_one_host: true",
            )
        else:
            for kind in COMPARISONS:
                reason = _incomparable(flow, one, kind)
                if reason is not None and all(_incomparable(flow, destination, kind) for destination in all_of_it):
                    yield Remark(reason.kind, (*path, reason.setting), reason.message)


def _may_go(outliers: OutlierDetection, hosts: int) -> bool:
    return outliers.max_ejection_percent * hosts * (1 + 1e-12) >= 1


class InTheWay(NamedTuple):
    """Why hosts are not compared, or none can be found out."""

    kind: Kind
    setting: str
    message: str


def _incomparable(flow: Flow, one: Destination, kind: str) -> InTheWay | None:
    """The setting that is in the way; None where hosts can be compared, or where nobody asked for it."""
    outliers, words, hosts = one.traffic.outliers, COMPARISONS[kind], max(1, most_hosts(flow, one))
    if outliers is None or not getattr(outliers, f"enforcing_{kind}") or not _is_asked_for(one, outliers, kind):
        return None
    least, volume = getattr(outliers, f"{kind}_minimum_hosts"), getattr(outliers, f"{kind}_request_volume")
    if hosts < least:
        also = (
            f" and success_rate_stdev_factor: {_factor(hosts)}" if kind == "success_rate" and _hides_all(outliers, hosts) else ""
        )
        message = (
            f"{words} are compared from {count(least, 'host')} on, and {one.service} has {hosts}: nothing is ejected for them;"
            f" write {kind}_minimum_hosts: {hosts}{also}"
        )
        return InTheWay(Kind.TOO_FEW_HOSTS_TO_COMPARE, f"{kind}_minimum_hosts", message)
    if kind == "success_rate" and _hides_all(outliers, hosts):
        message = (
            f"one of {hosts} hosts is never more than {sqrt(hosts - 1):.3g} standard deviations below the mean, whatever it does, and"
            f" {outliers.success_rate_stdev_factor / 1000:g} are asked for: nothing is ejected for success rates; write"
            f" success_rate_stdev_factor: {_factor(hosts)}, or enforcing_failure_percentage: 100% in its place"
        )
        return InTheWay(Kind.NO_HOST_IS_FAR_ENOUGH, "success_rate_stdev_factor", message)
    seen = one.rate / one.callers / hosts * outliers.interval / NS_PER_S
    if seen and not flow.has_unknown_rates and seen + SURELY * sqrt(seen) < volume:
        sent = (
            f"{one.who} sends each host of {one.service} about {number(seen)} requests in {time(outliers.interval)} at the peak"
        )
        remedy = f"write {kind}_request_volume: {max(1, int(seen / 2))}, or a longer interval"
        message = f"{sent}, and {words} count from {volume} on: nothing is ejected for them; {remedy}"
        return InTheWay(Kind.TOO_FEW_REQUESTS_TO_COMPARE, f"{kind}_request_volume", message)
    return None


def _hides_all(outliers: OutlierDetection, hosts: int) -> bool:
    """Whether no host can be so far below the mean.

    Of n numbers none is more than sqrt(n - 1) standard deviations (of the population, as Envoy takes it) from their mean; one host that
    fails everything among others that fail nothing is as far.

    Source: Samuelson, "How deviant can you be?", JASA 63, 1968; Envoy, outlier_detection_impl.cc (successRateEjectionThreshold).
    """
    return outliers.success_rate_stdev_factor / 1000 >= sqrt(hosts - 1)


def _factor(hosts: int) -> int:
    """The largest whole hundred at which one host that fails everything is found out."""
    return (ceil(1000 * sqrt(hosts - 1) / 100) - 1) * 100


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
                Kind.NOTHING_STARTS_FAILOVER,
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
                Kind.NOTHING_LEAVES_A_PRIORITY,
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
