"""The page docs/scenario.md: every setting of a scenario, read off the model.

To write it anew: `python -m meshsim.scenario.documentation.reference_page > docs/scenario.md`; a test keeps the two the same.
"""

from __future__ import annotations

import re
import sys
from importlib import resources
from typing import TYPE_CHECKING

from meshsim.policies.filters import Fault
from meshsim.scenario.defaults import products
from meshsim.scenario.documentation.explain import default_field, policy_families
from meshsim.scenario.documentation.fields import Field, fields
from meshsim.scenario.sections import (
    arrivals,
    autoscaling,
    caches,
    connections,
    cost,
    cpu,
    errors,
    faults,
    gateway,
    loads,
    model,
    proxies,
    queues,
    resilience,
    rollouts,
    routes,
    scripts,
    services,
    shown,
    sizes,
    traffic,
)
from meshsim.scenario.sections.types import inner_sections
from meshsim.scenario.thresholds import METRICS, OPERATORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshsim.scenario.documentation.explain import PolicyText, SettingText

INTRODUCTION = "reference_page.md"
"""The hand-written part, beside this module; `{{name}}` in it stands for a table."""
BY_PRODUCT = "[by product](defaults.md)"
TABLES: dict[str, tuple[tuple[str, type], ...]] = {
    "scenario": (("", model.Scenario),),
    "load": (("", loads.LoadSection), ("keys.", shown.KeysSection), ("credentials.", shown.CredentialsSection)),
    "constant-arrival-rate": (("", loads.ConstantArrivalRate),),
    "ramping-arrival-rate": (("", loads.RampingArrivalRate), ("stages.", loads.RateStage)),
    "shapes": (
        ("sinusoid.", arrivals.SinusoidSection),
        ("bursts.", arrivals.BurstsSection),
        ("bursts.states.", arrivals.BurstState),
    ),
    "constant-vus": (("", loads.ConstantUsers),),
    "ramping-vus": (("", loads.RampingUsers), ("stages.", loads.UserStage)),
    "per-vu-iterations": (("", loads.PerUserIterations),),
    "shared-iterations": (("", loads.SharedIterations),),
    "replay": (("", loads.Replay),),
    "gateway": (("", gateway.GatewaySection), ("tls.", gateway.EdgeTlsSection), ("restarts.", services.RestartStep)),
    "route": (
        ("", routes.RouteSection),
        ("path.", routes.PathSection),
        ("session_persistence.", routes.SessionPersistenceSection),
        ("canary.", routes.CanarySection),
        ("canary.steps.", routes.CanaryStep),
        ("canary.analysis.", routes.CanaryAnalysis),
        ("aggregate.", routes.AggregateCall),
    ),
    "mesh": (
        ("", proxies.MeshSection),
        ("inbound.<service>.", proxies.InboundSection),
        ("mtls.", connections.MtlsSection),
        ("node_proxy.", proxies.NodeProxySection),
        ("waypoints.", proxies.WaypointsSection),
        ("waypoints.services.<service>.", proxies.WaypointSection),
    ),
    "discovery": (("", connections.DiscoverySection),),
    "telemetry": (("", proxies.TelemetrySection),),
    "direct": (("", proxies.DirectSection),),
    "traffic": (
        ("", traffic.TrafficSection),
        ("connections.", connections.ConnectionsSection),
        ("hedge_policy.", resilience.HedgeSection),
        ("balancer_queue.", resilience.BalancerQueueSection),
        ("health_checks.", resilience.HealthChecksSection),
        ("mirror.", resilience.MirrorSection),
        ("retry_budget.", traffic.RetryBudgetSection),
        ("circuit_breakers.", traffic.CircuitBreakersSection),
    ),
    "retries": (("", traffic.RetriesSection), ("retry_back_off.", traffic.BackOffSection)),
    "service": (
        ("", services.ServiceSection),
        ("queue.", services.QueueSection),
        ("cpu.", cpu.CpuSection),
        ("errors.", errors.ErrorsSection),
        ("errors.replay.", errors.ReplaySection),
        ("health_status.", services.HealthStatusSection),
        ("scale.", services.ScaleStep),
        ("restarts.", services.RestartStep),
        ("readiness.", services.ReadinessSection),
        ("rollouts.", rollouts.RolloutStep),
        ("strategy.", rollouts.StrategySection),
        ("strategy.rolling_update.", rollouts.RollingUpdateSection),
    ),
    "autoscaling": (
        ("", autoscaling.AutoscalingSection),
        ("metrics.", autoscaling.MetricSection),
        ("metrics.resource.", autoscaling.ResourceMetricSection),
        ("metrics.resource.target.", autoscaling.ResourceTargetSection),
        ("metrics.pods.", autoscaling.PodsMetricSection),
        ("metrics.pods.target.", autoscaling.PodsTargetSection),
        ("metrics.object.", autoscaling.ObjectMetricSection),
        ("metrics.object.target.", autoscaling.ObjectTargetSection),
        ("behavior.", autoscaling.BehaviorSection),
        ("behavior.scale_up.", autoscaling.ScalingRulesSection),
        ("behavior.scale_up.policies.", autoscaling.ScalingPolicySection),
    ),
    "autoscaler": (("", autoscaling.AutoscalerSection),),
    "operation": (("", services.OperationSection),),
    "size": (("", sizes.SizeSpread),),
    "call": (("", scripts.CallStep),),
    "transaction": (("", scripts.TransactionStep),),
    "parallel": (("", scripts.ParallelStep),),
    "loop": (("", scripts.LoopStep),),
    "publish": (("", scripts.PublishStep),),
    "message_queue": (("", queues.MessageQueueSection),),
    "consumes": (("", queues.ConsumesSection),),
    "cached": (("", scripts.CachedStep),),
    "cache": (("", caches.CacheSection), ("keys.", shown.PopularitySection)),
    "connection_pool": (("", services.ConnectionPoolSection),),
    "compute": (("", scripts.ComputeStep), ("compute.", errors.ReplayedTime), ("compute.replay.", errors.TimeReplaySection)),
    "fault_filter": tuple((f"fault.{name}.", section) for name, section in inner_sections(Fault)),
    "network": (("", model.NetworkSection),),
    "fault": (("", faults.FaultSection),),
    "cost": (("", cost.CostSection),),
    "run": (("", model.RunSection), ("records.", model.Sampled), ("until.", model.UntilSection)),
}
"""The sections of each table, with what stands before their fields."""
TYPES = {
    "errors": "share, or mapping",
    "file": "name of a file",
    "script": "list of steps",
    "lookup": "list of steps",
    "parallel": "list of calls",
    "compute": "[time](#times), or mapping with `replay`",
}
"""Types that are clearer by hand, by field."""
_HEAD = ("| field | type | default | meaning |", "|---|---|---|---|")
_LINKS = (
    (r"one distribution: .*", "[time](#times)"),
    (r"one load balancer: .*", "[load balancer](#load-balancers)"),
    (r"one filter: .*", "[filter](#filters)"),
    (r"mapping with num_retries.*", "[retries](#retries)"),
    (r"mapping of names to mapping with timeout, load_balancer.*", "[traffic](#traffic) by service"),
    (r"mapping of names to (mapping with .*|value)", "mapping of names to mappings"),
    (r"mapping with .*", "mapping"),
    (r"^list of mapping$", "list of mappings"),
    (r"^list of one of ", "list of: "),
    (r"such as ", "as "),
)


def page() -> str:
    """The whole page as Markdown, ending with a newline."""
    text = resources.files(__package__).joinpath(INTRODUCTION).read_text(encoding="utf-8")
    made = {
        "products": ", ".join(f"`{product.name}`" for product in products()),
        "metrics": _metrics(),
        "operators": ", ".join(f"`{one}`" for one in OPERATORS),
        **{name: _settings(sections) for name, sections in TABLES.items()},
        **{family.name: _policies(family.policies) for family in policy_families()},
    }
    return re.sub(r"\{\{([\w-]+)\}\}", lambda match: made[match.group(1)], text)


def _settings(sections: Iterable[tuple[str, type]]) -> str:
    rows = [_row(prefix, field) for prefix, section in sections for field in _fields_of(section)]
    return "\n".join([*_HEAD, *rows])


def _fields_of(section: type) -> Iterator[Field]:
    """The fields of a section, each once; what all loads share is left out of a single load's."""
    shared = loads.LoadSection.model_fields
    if section is loads.LoadSection:
        return (field for field in _all_fields_of(loads.Replay) if field.name in shared)
    is_load = issubclass(section, loads.LoadSection)
    return (field for field in _all_fields_of(section) if not (is_load and field.name in shared))


def _all_fields_of(section: type) -> Iterator[Field]:
    """Each field once: where one has a default by product at some of its places, at one of those."""
    found: dict[str, Field] = {}
    for field in fields():
        if field.owner is section and (field.name not in found or _is_by_product(field)):
            found[field.name] = field
    return iter(found.values())


def _row(prefix: str, field: Field) -> str:
    return _cells(f"`{prefix}{field.name}`", _type(field), _default(field), " ".join(field.doc.split()))


def _type(field: Field) -> str:
    if field.owner is scripts.CallStep and field.name == "fallback":
        return TYPES["script"]
    if field.name in TYPES:
        return TYPES[field.name]
    text = field.type
    for pattern, link in _LINKS:
        text = re.sub(pattern, link, text)
    return text


def _default(field: Field) -> str:
    if field.is_required:
        return "required"
    if _is_by_product(field):
        return BY_PRODUCT
    return f"`{field.default}`" if field.default else ""


def _is_by_product(field: Field) -> bool:
    known = default_field(field.path)
    if known is None or not known[1]:
        return False
    name, _ = known
    return any(one == name or (name.startswith("traffic.") and one.startswith(f"{name}.")) for one in products()[0].fields)


def _policies(policies: Iterable[PolicyText]) -> str:
    lines = ["| name | settings | what it does |", "|---|---|---|"]
    for one in policies:
        settings = (f"`{each.name}`: {each.type}; {_absent(each)}. {each.doc}" for each in one.settings)
        lines.append(_cells(f"`{one.name}`", "<br>".join(settings), one.summary))
    return "\n".join(lines)


def _absent(setting: SettingText) -> str:
    return "may be absent" if setting.default == "None" else setting.absent


def _metrics() -> str:
    lines = ["| metric | what it is | labels | aggregations |", "|---|---|---|---|"]
    for name, metric in METRICS.items():
        aggregations = ", ".join(f"`{'p(N)' if one == 'p' else one}` ({kind})" for one, kind in metric.aggregations.items())
        lines.append(_cells(f"`{name}`", metric.doc, ", ".join(f"`{label}`" for label in metric.labels), aggregations))
    return "\n".join(lines)


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(page())
