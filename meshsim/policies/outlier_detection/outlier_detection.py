"""Envoy's outlier detection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from meshsim.policies.outlier_detection.host_ejection import HostEjection, HostEjectionState
from meshsim.policies.outlier_detection.host_record import HostRecord
from meshsim.policies.outlier_detection.kinds import HTTP_OF_GRPC, KINDS, LOCAL
from meshsim.policies.outlier_detection.statistics import threshold
from meshsim.registry import SettingError, policy
from meshsim.units import Count, Duration, PositiveCount, Share

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw

Percentage = Annotated[int, Ge(0), Le(100)]


@policy
class OutlierDetection(HostEjection):
    """Eject hosts that fail in a row, or more than the others, for a time that grows with each ejection.

    Failures in a row eject at once; comparisons, and the ends of ejections, happen at the sweep at each `interval`: the time out is
    rounded up to a sweep, whose phase is each proxy's own. A passed active health check ends an ejection at once. With the default
    `max_ejection_percent` and fewer than 10 hosts nothing is ever ejected, unless `always_eject_one_host`. Ejections by success rate
    are on by default. Each proxy ejects for itself.

    Source: Envoy, source/common/upstream/outlier_detection_impl.cc (initialize, onIntervalTimer);
    envoy/config/cluster/v3/outlier_detection.proto; measured on Envoy 1.40 (five hosts, default percentage: 161 detections, no
    ejection).
    """

    consecutive_5xx: Count = 5
    """Answers of 5xx in a row that eject; local failures count as 5xx unless they are split. 0 for off."""
    consecutive_gateway_failure: Count = 5
    """Answers of 502, 503, 504 in a row that eject, where `enforcing_consecutive_gateway_failure` says so. 0 for off."""
    consecutive_local_origin_failure: Count = 5
    """Local failures in a row that eject, where they are split. 0 for off."""
    split_external_local_origin_errors: bool = False
    """Whether local failures (no connection, timeout, reset) are counted apart from answers."""
    interval: Duration = 10_000_000_000
    """Time between two sweeps."""
    phase: Duration | None = None
    """When the first sweep comes, after the start of the run; for each proxy and destination a time below `interval` of its own, drawn
    from the seed, where absent: Envoy's comes one interval after the cluster was made. To replay a measurement whose phase is known."""
    base_ejection_time: Duration = 30_000_000_000
    """Time out of the first ejection; it is multiplied by the number of ejections."""
    max_ejection_time: Duration = 300_000_000_000
    """Time out at most (or the base, if that is longer)."""
    max_ejection_time_jitter: Duration = 0
    """A random time up to this is added."""
    max_ejection_percent: Share = 0.1
    """Share of the hosts that may be out at once."""
    always_eject_one_host: bool = False
    """Eject one host whatever the share."""
    successful_active_health_check_uneject_host: bool = True
    """Whether a passed active health check ends an ejection at once, and failures are counted anew. Envoy's default since 1.26."""
    enforcing_consecutive_5xx: Share = 1.0
    """How often a detection by 5xx ejects."""
    enforcing_consecutive_gateway_failure: Share = 0.0
    """How often a detection by gateway failures ejects."""
    enforcing_consecutive_local_origin_failure: Share = 1.0
    """How often a detection by local failures ejects."""
    enforcing_success_rate: Share = 1.0
    """How often a detection by success rate ejects."""
    success_rate_minimum_hosts: Count = 5
    """Hosts with enough requests below which success rates are not compared."""
    success_rate_request_volume: Count = 100
    """Requests of an interval below which a host is not compared."""
    success_rate_stdev_factor: PositiveCount = 1900
    """How many thousandths of a standard deviation below the mean is an outlier."""
    enforcing_local_origin_success_rate: Share = 1.0
    """The same for the success rate of local failures, where they are split."""
    enforcing_failure_percentage: Share = 0.0
    """How often a detection by failure percentage ejects."""
    enforcing_failure_percentage_local_origin: Share = 0.0
    """The same for local failures, where they are split."""
    failure_percentage_threshold: Percentage = 85
    """Percentage of failures in an interval that ejects."""
    failure_percentage_minimum_hosts: Count = 5
    """Hosts with enough requests below which failure percentages are not looked at."""
    failure_percentage_request_volume: Count = 50
    """Requests of an interval below which a host's failure percentage is not looked at."""

    def check(self) -> None:
        """Raise `SettingError` where Envoy would refuse the settings."""
        if self.interval <= 0:
            raise SettingError("interval", "must be longer than 0s, such as 10s")
        if self.base_ejection_time <= 0:
            raise SettingError("base_ejection_time", "must be longer than 0s, such as 30s")
        if self.phase is not None and self.phase > self.interval:
            raise SettingError("phase", "must not be longer than `interval`: the first sweep comes within one")

    def build(self, *, hosts: int, draw: Draw | None = None) -> OutlierDetectionState:
        """Nothing is held against any of so many hosts."""
        return OutlierDetectionState(self, hosts, draw)


class OutlierDetectionState(HostEjectionState):
    """What one proxy holds against hosts, and who of them is out."""

    __slots__ = ("_hosts", "_order", "_settings", "_splits", "detections", "ejected", "ejections", "overflows")

    def __init__(self, settings: OutlierDetection, hosts: int, draw: Draw | None) -> None:
        """Nothing is held against any of so many hosts."""
        self._settings = settings
        self._splits = settings.split_external_local_origin_errors
        self._hosts = [HostRecord() for _ in range(hosts)]
        self._order = list(range(hosts))
        """Of a sweep."""
        if draw is not None:
            for last in range(hosts - 1, 0, -1):
                other = draw.below(last + 1)
                self._order[last], self._order[other] = self._order[other], self._order[last]
        self.ejected = 0
        """Hosts that are out."""
        self.ejections = [0] * len(KINDS)
        """How often a host was ejected, by kind."""
        self.detections = [0] * len(KINDS)
        """How often one was found out, ejected or not."""
        self.overflows = 0
        """Ejections that `max_ejection_percent` did not allow."""

    def join(self, index: int) -> None:
        """A host is new: nothing is known of it."""
        host = self._hosts[index]
        self.ejected -= host.is_ejected
        host.clear()
        host.is_member = True

    def leave(self, index: int) -> None:
        """A host has gone."""
        host = self._hosts[index]
        self.ejected -= host.is_ejected
        host.clear()
        host.is_member = False

    def is_ejected(self, index: int) -> bool:
        """Whether a host is out."""
        return self._hosts[index].is_ejected

    def pass_check(self, index: int, now_ns: int) -> bool:
        """A host has passed an active health check, and counts as healthy by those; whether that has ended its ejection."""
        host = self._hosts[index]
        if not (self._settings.successful_active_health_check_uneject_host and host.is_ejected):
            return False
        self._let_back(host, now_ns)
        return True

    def record(self, index: int, now_ns: int, status: int, grpc_status: int, flags: int, draw: Draw) -> bool:
        """An attempt at a host has ended; whether the host has just been ejected."""
        host = self._hosts[index]
        if not host.is_member:
            return False
        is_local = bool(flags & LOCAL)
        if is_local and self._splits:
            host.local_requests += 1
            return self._row_of_local(host, now_ns, draw)
        if self._splits:
            host.local_requests += 1
            host.local_successes += 1
            host.consecutive_local = 0
        status = HTTP_OF_GRPC.get(grpc_status, status) if grpc_status > 0 else status
        host.requests += 1
        if status < 500:
            host.successes += 1
            host.clear_rows()
            return False
        return self._row_of_answers(host, status, now_ns, draw)

    def _row_of_local(self, host: HostRecord, now_ns: int, draw: Draw) -> bool:
        host.consecutive_local += 1
        if host.consecutive_local != self._settings.consecutive_local_origin_failure:
            return False
        host.consecutive_local = 0
        return self._eject(host, 2, self._settings.enforcing_consecutive_local_origin_failure, now_ns, draw)

    def _row_of_answers(self, host: HostRecord, status: int, now_ns: int, draw: Draw) -> bool:
        was_ejected = False
        if status in (502, 503, 504):
            host.consecutive_gateway += 1
            if host.consecutive_gateway == self._settings.consecutive_gateway_failure:
                host.consecutive_gateway = 0
                was_ejected = self._eject(host, 1, self._settings.enforcing_consecutive_gateway_failure, now_ns, draw)
        else:
            host.consecutive_gateway = 0
        host.consecutive_5xx += 1
        if host.consecutive_5xx == self._settings.consecutive_5xx:
            host.consecutive_5xx = 0
            was_ejected = self._eject(host, 0, self._settings.enforcing_consecutive_5xx, now_ns, draw) or was_ejected
        return was_ejected

    def _eject(self, host: HostRecord, kind: int, enforcing: float, now_ns: int, draw: Draw) -> bool:
        """Take a host out if that is enforced and allowed; whether it was."""
        if host.is_ejected:
            return False
        self.detections[kind] += 1
        if enforcing < 1.0 and (enforcing <= 0.0 or draw.uniform() >= enforcing):
            return False
        members = sum(one.is_member for one in self._hosts)
        if (self.ejected + 1) > self._settings.max_ejection_percent * members * (1 + 1e-12) and not (
            self._settings.always_eject_one_host and not self.ejected
        ):
            self.overflows += 1
            return False
        self.ejections[kind] += 1
        self.ejected += 1
        host.is_ejected, host.ejected_ns = True, now_ns
        host.jitter_ns = (
            round(draw.uniform() * self._settings.max_ejection_time_jitter) if self._settings.max_ejection_time_jitter else 0
        )
        longest_ns = max(self._settings.base_ejection_time, self._settings.max_ejection_time)
        if host.multiplier * self._settings.base_ejection_time < longest_ns + self._settings.base_ejection_time:
            host.multiplier += 1
        return True

    def sweep(self, now_ns: int, draw: Draw) -> list[int]:
        """The look at all hosts that is due at each `interval`; who has come back or was ejected."""
        changed = [index for index in self._order if self._is_over(self._hosts[index], now_ns)]
        for index in changed:
            self._let_back(self._hosts[index], now_ns)
        self._compare(now_ns, draw, changed)
        for host in self._hosts:
            if not host.is_ejected and host.multiplier and now_ns - host.uneject_ns >= self._settings.interval:
                host.multiplier -= 1
            host.requests = host.successes = host.local_requests = host.local_successes = 0
        return changed

    def _is_over(self, host: HostRecord, now_ns: int) -> bool:
        """Whether a host is out and has been for long enough."""
        longest_ns = max(self._settings.base_ejection_time, self._settings.max_ejection_time)
        out_ns = min(self._settings.base_ejection_time * host.multiplier, longest_ns) + host.jitter_ns
        return host.is_ejected and now_ns - host.ejected_ns >= out_ns

    def _let_back(self, host: HostRecord, now_ns: int) -> None:
        host.is_ejected = False
        host.uneject_ns = now_ns
        host.clear_rows()
        self.ejected -= 1

    def _compare(self, now_ns: int, draw: Draw, changed: list[int]) -> None:
        """Ejections by success rate and failure percentage, of answers and, where they are split, of local failures."""
        hosts = self._hosts
        counted = [[(index, hosts[index].requests, hosts[index].successes) for index in self._order]]
        if self._splits:
            counted.append([(index, hosts[index].local_requests, hosts[index].local_successes) for index in self._order])
        enforcing = (
            (3, self._settings.enforcing_success_rate, 5, self._settings.enforcing_failure_percentage),
            (4, self._settings.enforcing_local_origin_success_rate, 6, self._settings.enforcing_failure_percentage_local_origin),
        )
        for rows, (by_rate, rate_share, by_percentage, percentage_share) in zip(counted, enforcing, strict=False):
            here = [row for row in rows if hosts[row[0]].is_member and not hosts[row[0]].is_ejected]
            enough = [row for row in here if row[1] >= max(1, self._settings.success_rate_request_volume)]
            if len(enough) >= max(1, self._settings.success_rate_minimum_hosts):
                bound = threshold(
                    [100.0 * good / count for _, count, good in enough], self._settings.success_rate_stdev_factor / 1000
                )
                for index, count, good in enough:
                    if 100.0 * good / count < bound - 1e-9 and self._eject(hosts[index], by_rate, rate_share, now_ns, draw):
                        changed.append(index)
            enough = [row for row in here if row[1] >= max(1, self._settings.failure_percentage_request_volume)]
            if len(enough) >= max(1, self._settings.failure_percentage_minimum_hosts):
                for index, count, good in enough:
                    is_out = 100.0 * (count - good) / count >= self._settings.failure_percentage_threshold
                    if is_out and self._eject(hosts[index], by_percentage, percentage_share, now_ns, draw):
                        changed.append(index)
