"""Makes docs/policies.md: every policy and mechanism, its file, its source and its test. `python docs/policy_table.py > docs/policies.md`.

The rows of registered policies are read from the registry, those of mechanisms of the engine are listed here; the source is the
paragraph of the class's docstring that begins with "Source:".
"""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

from meshsim import policies  # noqa: F401 — its policies register themselves
from meshsim.registry import families, first_sentence

ROOT = Path(__file__).resolve().parents[1]
ENGINE = "meshsim.engines.reference"
_GENERAL = {
    "test_settings_and_state.py",
    "test_own_policies.py",
    "test_documentation.py",
    "test_docs.py",
    "test_conservation.py",
    "test_messages.py",
}
"""Tests that name everything."""
_ORDER = {"policies": 0, "engine": 1, "validation": 2, "theory": 3}
MECHANISMS = (
    ("registry of instances", f"{ENGINE}.control.registry", "Registry", "readiness"),
    ("instances that come, restart and leave", f"{ENGINE}.control.lifecycle", "Life", "lifecycle"),
    ("rollouts: pods by version", f"{ENGINE}.control.deployment", "Deployment", "deployed"),
    ("rollouts: RollingUpdate", "meshsim.policies.deployment.rolling_update", "RollingUpdate", "RollingUpdate"),
    ("rollouts: Recreate", "meshsim.policies.deployment.recreate", "Recreate", "Recreate"),
    ("rollouts: a change of size meanwhile", "meshsim.policies.deployment.strategy", "scaled_in_proportion", "scaled"),
    ("autoscaling, what one metric asks for", "meshsim.policies.autoscaling.replicas", "by_utilization", "by_utilization"),
    ("autoscaling, decisions", "meshsim.policies.autoscaling.horizontal", "Autoscaler", "HorizontalPodAutoscaler"),
    ("autoscaling, figures of CPU", f"{ENGINE}.control.pod_metrics", "MetricsServer", "MetricsServer"),
    ("autoscaling, figures of requests", f"{ENGINE}.control.pod_metrics", "Prometheus", "Prometheus"),
    ("processor sharing", f"{ENGINE}.services.cores", "Cores", "cpu"),
    ("CPU limits: CFS quota and throttling", "meshsim.policies.cpu.bandwidth", "Bandwidth", "Bandwidth"),
    ("CPU limits: kubelet's quota", "meshsim.policies.cpu.bandwidth", "quota_ns", "quota_ns"),
    ("discovery by pushes", f"{ENGINE}.control.discovery", "Push", "propagation"),
    ("discovery by DNS", f"{ENGINE}.control.discovery", "Lookups", "dns_refresh"),
    ("active health checks", f"{ENGINE}.destinations.health_check", "HealthChecker", "health_checks"),
    ("ejections reach the workers (update_merge_window)", f"{ENGINE}.destinations.merge_window", "MergeWindow", "merge_window"),
    ("priorities and panic", "meshsim.policies.locality.priorities", "priority_loads", "priority_loads"),
    ("retries", f"{ENGINE}.layers.retrying", "RetryLayer", "num_retries"),
    ("retry conditions", "meshsim.policies.retry.conditions", "is_retriable", "is_retriable"),
    ("Envoy's retry budget", "meshsim.policies.retry.budget", "RetryBudget", "retry_budget"),
    ("avoiding hosts and priorities", f"{ENGINE}.layers.pick", "Chooser", "previous_hosts"),
    ("hedging", f"{ENGINE}.layers.hedging", "HedgeLayer", "hedge_policy"),
    ("timeouts over all tries and of each try", f"{ENGINE}.layers.timeout", "TimeoutLayer", "per_try_timeout"),
    ("Envoy's limits", "meshsim.policies.admission.resource_limit", "ResourceLimit", "circuit_breakers"),
    ("connections, HTTP/1.1 and HTTP/2", f"{ENGINE}.destinations.connections", "ConnectionPool", "max_requests_per_connection"),
    ("handshakes, TCP and TLS", f"{ENGINE}.destinations.connection", "Dialler", "handshake_time"),
    ("layer 4: an instance for each connection", f"{ENGINE}.destinations.transport", "TransportLayer", "balance"),
    ("ambient mode", f"{ENGINE}.proxies.ambient", "WaypointLayer", "waypoints"),
    ("traffic split by subset", f"{ENGINE}.layers.split", "SplitLayer", "split"),
    ("mirroring", f"{ENGINE}.layers.mirror", "MirrorLayer", "mirror"),
    ("routes by path, method, header and consumer", "meshsim.scenario.flow.routing", "meet", "routing"),
    ("weighted and sticky splits of a route", f"{ENGINE}.proxies.routes", "LiveRoute", "sticky"),
    ("session persistence of a route", f"{ENGINE}.proxies.sessions", "Sessions", "session_persistence"),
    ("canary: weights by schedule, taken back by a metric", f"{ENGINE}.proxies.routes", "CanaryRun", "canary"),
    ("aggregation and fallback of a route", f"{ENGINE}.proxies.parts", "gather", "aggregate"),
    ("filters' verdicts, questions and waits", f"{ENGINE}.proxies.screening", "Screen", "coalesce"),
    ("clients' connections to the gateway, TLS at the edge", f"{ENGINE}.clients.edge", "EdgeLayer", "requests_per_connection"),
    ("draining and rolling restarts of the gateway", f"{ENGINE}.proxies.replicas", "Replicas", "drain_time"),
    ("what filters decided, and fairness", "meshsim.metrics.policies.decisions", "Decisions", "fairness"),
)


def table() -> str:
    """The page."""
    lines = [
        "# Policies and mechanisms",
        "",
        "Made from the code by `docs/policy_table.py`; a test keeps it fresh.",
        "`meshsim policies` has the settings, `meshsim explain FIELD` one of them.",
        "",
        "| what | file | source | test |",
        "|---|---|---|---|",
    ]
    for family, members in families().items():
        for name, cls in members.items():
            if cls.__module__.startswith("meshsim.policies."):
                lines.append(_row(f"`{family}: {name}`. {first_sentence(cls)}", cls, ((cls.__name__,), (name,)), {"policies"}))
    for what, module, name, word in MECHANISMS:
        cls = getattr(importlib.import_module(module), name)
        lines.append(_row(f"{what}. {first_sentence(cls)}", cls, ((name, word),), set(_ORDER)))
    return "\n".join(lines) + "\n"


def _row(what: str, cls: object, words: tuple[tuple[str, ...], ...], folders: set[str]) -> str:
    file = Path(inspect.getsourcefile(cls)).relative_to(ROOT).as_posix()  # type: ignore[arg-type]
    cells = (what, f"[{Path(file).name}](../{file})", source(cls), _test(words, folders))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def source(cls: object) -> str:
    """What the docstring names as the source."""
    text = inspect.getdoc(cls) or inspect.getdoc(inspect.getmodule(cls)) or ""
    found = re.search(r"Source: (.*)", text, re.DOTALL) or re.search(
        r"Source: (.*)", inspect.getdoc(inspect.getmodule(cls)) or "", re.DOTALL
    )
    return " ".join(found.group(1).split()) if found else "this project's own"


def _test(words: tuple[tuple[str, ...], ...], folders: set[str]) -> str:
    """The test file that is named after a word, or else the one with most mentions of the first words, or of the next; of these folders first."""
    tests = sorted(
        (ROOT / "tests").rglob("test_*.py"), key=lambda path: (_ORDER.get(path.parent.name, len(_ORDER)), path.as_posix())
    )
    known = [path for path in tests if path.name not in _GENERAL]
    named = [path for path in known if path.stem.removeprefix("test_") in {word for some in words for word in some}]
    for some in (named, [path for path in known if path.parent.name in folders], known):
        for together in words:
            wanted = [re.compile(rf"(?<!\w){re.escape(word)}(?!\w)") for word in together]
            counts = {path: _mentions(path, wanted) for path in some}
            best = max(counts, key=lambda path: counts[path], default=None)
            if best is not None and counts[best]:
                return f"[{best.name}](../{best.relative_to(ROOT).as_posix()})"
    return "none"


def _mentions(path: Path, wanted: list[re.Pattern[str]]) -> int:
    text = path.read_text(encoding="utf-8")
    return sum(len(one.findall(text)) for one in wanted)


if __name__ == "__main__":
    print(table(), end="")  # noqa: T201 — a script
