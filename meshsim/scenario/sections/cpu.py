"""The CPU of a service's instances: requests and limits, in Kubernetes' own words."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema, model_validator

from meshsim.policies.cpu import quota_ns
from meshsim.scenario.files.nodes import shown
from meshsim.scenario.sections.types import Duration, Section
from meshsim.scenario.sections.wording import mistake
from meshsim.units import NS_PER_S, Unit

_CORES = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(m?)")
_LARGEST = 1_000_000
NS_PER_MS = 1_000_000


def _thousandths(value: Any) -> int:
    """Thousandths of a core."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match = _CORES.fullmatch(str(value)) if is_number or isinstance(value, str) else None
    if match is None:
        raise mistake(f"expected cores such as 2, 1.5 or 500m, not {shown(value)}")
    thousandths = Decimal(match.group(1)) * (1 if match.group(2) else 1000)
    if thousandths != int(thousandths):
        raise mistake("must be whole thousandths of a core, as in Kubernetes, such as 250m")
    if not 1 <= thousandths <= _LARGEST:
        raise mistake("must be from 1m to 1000 cores")
    return int(thousandths)


def _period(value: int) -> int:
    if not NS_PER_MS <= value <= NS_PER_S:
        raise mistake("must be from 1ms to 1s, as in kubelet")
    return value


_PATTERN = r"^(\d+(\.\d+)?|\.\d+)m?$"
Cores = Annotated[
    int,
    Unit("number of cores", _thousandths, _PATTERN, "500m or 2"),
    BeforeValidator(_thousandths),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": _PATTERN}, {"type": "number", "exclusiveMinimum": 0}],
            "description": "Cores, such as 2, 1.5 or 500m",
            "examples": ["500m"],
        }
    ),
]
"""Cores as Kubernetes writes them; in thousandths."""


class CpuSection(Section):
    """What the computations of one replica share, in place of a core for each worker: a container's `resources`.

    Each gets an equal share of the cores that there are, and one core at most. With `limits` the container has a quota of processor
    time in each period, which many computations use up on as many cores at once; then all of them stand still until the period ends.
    """

    requests: Cores | None = None
    """What the container asks for: what an autoscaler's `average_utilization` is a share of. The `limits` where absent, as in Kubernetes.
    What a node that is full gives to whom does not depend on it here."""
    limits: Cores | None = None
    """What it may use in each period on average: `500m`, `2`, `1.5`. No limit where absent; it then needs `node_cores`."""
    node_cores: Cores | None = None
    """How many cores its computations may run on at once: those of its node, as far as others leave them free, or fewer where the process
    has fewer threads than that (GOMAXPROCS). No bound where absent. For exclusive cores (static CPU manager) write `node_cores`
    and leave `limits` out."""
    cfs_quota_period: Annotated[Duration, AfterValidator(_period)] = 100 * NS_PER_MS
    """The period of the quota: kubelet's `cpuCFSQuotaPeriod`, 100ms as there. Periods begin at an instant of each replica's own."""
    cfs_burst: Duration = 0
    """How much of what was left in earlier periods may be used on top of the quota: the kernel's `cpu.max.burst`. Kubernetes sets none."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.limits is None:
            if self.node_cores is None:
                raise mistake("write `limits`, or `node_cores`: without either, computations do not share anything")
            for name in ("cfs_quota_period", "cfs_burst"):
                if name in self.model_fields_set:
                    raise mistake("needs `limits`: without them there is no quota", name)
            return self
        if self.requests is not None and self.requests > self.limits:
            raise mistake("must be at most `limits`, as in Kubernetes", "requests")
        if self.cfs_burst > quota_ns(self.limits, self.cfs_quota_period):
            raise mistake("must be at most the quota, which is `limits` times `cfs_quota_period`, as in Linux", "cfs_burst")
        return self

    @property
    def capacity(self) -> float:
        """Cores that a replica can use for long."""
        allowed = [] if self.limits is None else [quota_ns(self.limits, self.cfs_quota_period) / self.cfs_quota_period]
        return min([*allowed, *([] if self.node_cores is None else [self.node_cores / 1000])])

    @property
    def asked(self) -> int | None:
        """Thousandths of a core that a pod asks for: what it says, or else its limit."""
        return self.limits if self.requests is None else self.requests
