"""What active health checks do to ejections, and to instances that leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.scenario.advice.destinations import using
from meshsim.scenario.advice.leaving import stops
from meshsim.scenario.advice.remark import Kind, Remark, time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.policies.outlier_detection import OutlierDetection
    from meshsim.scenario.flow.flow import Flow


def ejections_that_checks_end(flow: Flow) -> Iterator[Remark]:
    """Ejections of which nothing is left as soon as a check is passed, sooner than their own end."""
    for path, all_of_it in using(flow, "outlier_detection"):
        for one in all_of_it:
            outliers, checks = one.traffic.outliers, one.traffic.health_checks
            if outliers is None or checks is None or not outliers.successful_active_health_check_uneject_host:
                continue
            if checks.interval < _longest_ns(outliers):
                yield Remark(
                    Kind.CHECKS_END_EJECTIONS,
                    path,
                    f"a host of {one.service} that fails its requests and passes its health checks is back after {time(checks.interval)}"
                    f" at most, not after {_own_end(outliers)}: a passed check ends an ejection; write"
                    " successful_active_health_check_uneject_host: false, or leave it if the checks fail whenever the requests do",
                )
                break


def _longest_ns(outliers: OutlierDetection) -> int:
    """How long an ejection lasts in the end."""
    return max(outliers.base_ejection_time, outliers.max_ejection_time)


def _own_end(outliers: OutlierDetection) -> str:
    """After how long a host would be back without checks: each time in a row after as long again as the first.

    Source: Envoy, source/common/upstream/outlier_detection_impl.cc (checkHostForUneject).
    """
    base_ns, longest_ns = outliers.base_ejection_time, _longest_ns(outliers)
    return time(base_ns) + (f", twice as long the next time and so on up to {time(longest_ns)}" if longest_ns > base_ns else "")


def leaving_that_checks_put_off(flow: Flow) -> Iterator[Remark]:
    """Instances that stop, and are sent requests until they fail their checks."""
    for path, all_of_it in using(flow, "health_checks"):
        for one in all_of_it:
            traffic = one.traffic
            if (
                traffic.health_checks is None
                or traffic.ignores_health_on_removal
                or not stops(flow.scenario.services[one.service])
            ):
                continue
            checks = traffic.health_checks
            refused_ns = checks.unhealthy_threshold * checks.interval
            yield Remark(
                Kind.CHECKS_PUT_LEAVING_OFF,
                path,
                f"an instance of {one.service} that stops goes on being sent requests while it passes its checks, whatever discovery"
                f" says, and for up to {time(refused_ns)} after that (unhealthy_threshold {checks.unhealthy_threshold}, interval"
                f" {time(checks.interval)}) they are refused; write ignore_health_on_host_removal: true",
            )
            break


CHECKS = (ejections_that_checks_end, leaving_that_checks_put_off)
