"""A scenario in a notebook's cell: what it is made of, at a glance."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from meshsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.load import LoadedScenario
    from meshsim.scenario.sections.services import ServiceSection


def scenario_as_html(loaded: LoadedScenario) -> str:
    """Name, question and a table: services, loads, routes, faults, variants, thresholds and the run."""
    scenario = loaded.scenario
    rows = "".join(
        f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>{text}</td></tr>" for name, text in _rows(loaded)
    )
    variant = f", variant {escape(loaded.variant)}" if loaded.variant else ""
    return f"<p><b>{escape(scenario.name)}</b>{variant}<br>{escape(scenario.description)}</p><table>{rows}</table>"


def _servers(service: ServiceSection) -> str:
    return f"{service.cpu.capacity:g} CPU" if service.cpu is not None and not service.threads else f"{service.threads}"


def _rows(loaded: LoadedScenario) -> Iterator[tuple[str, str]]:
    scenario = loaded.scenario
    yield "defaults, deployment", f"{escape(scenario.defaults)}, {scenario.deployment}"
    yield (
        "load",
        "; ".join(f"{escape(name)} ({getattr(load, 'executor', 'replay')})" for name, load in scenario.load.items()),
    )
    if scenario.gateway is not None:
        yield "routes", escape(", ".join(scenario.gateway.routes))
    services = (f"{name} ({service.replicas} x {_servers(service)})" for name, service in scenario.services.items())
    yield "services (replicas x workers)", escape(", ".join(services))
    if scenario.faults:
        yield "faults", escape("; ".join(f"{fault.words} {fault.when}" for fault in scenario.faults))
    if loaded.names:
        yield "variants", escape(", ".join(loaded.names))
    thresholds = (
        f"<code>{escape(metric)} {escape(condition)}</code>" for metric, each in scenario.thresholds.items() for condition in each
    )
    if scenario.thresholds:
        yield "thresholds", "<br>".join(thresholds)
    run = scenario.run
    yield "run", f"{format_duration(run.duration)}, warm-up {format_duration(run.warm_up)}, seed {run.seed}"
