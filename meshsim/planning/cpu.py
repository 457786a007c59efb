"""The CPU of a service's instances, as kubelet turns requests and limits into what the kernel enforces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import NONE, Cpu
from meshsim.policies.cpu import quota_ns

if TYPE_CHECKING:
    from meshsim.scenario.sections.cpu import CpuSection


def plan_cpu(section: CpuSection | None) -> Cpu | None:
    """What the computations of an instance share; None where nothing is said of it."""
    if section is None:
        return None
    limits, requests = section.limits, section.asked
    return Cpu(
        cores=NONE if section.node_cores is None else section.node_cores / 1000,
        quota_ns=NONE if limits is None else quota_ns(limits, section.cfs_quota_period),
        period_ns=section.cfs_quota_period,
        burst_ns=section.cfs_burst,
        requests=NONE if requests is None else requests,
        limits=NONE if limits is None else limits,
    )
