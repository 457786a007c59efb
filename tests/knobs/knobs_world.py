"""Knobs of the network, faults and the run."""

from __future__ import annotations

from knob import Knob

WORLD = [
    Knob("NetworkSection.same_zone", "chain", "network.same_zone", ("100us", "5ms"), "mean"),
    Knob("NetworkSection.cross_zone", "zones", "network.cross_zone", ("1ms", "20ms"), "mean"),
    Knob(
        "FaultSection.at",
        "chain",
        "faults",
        ("[{at: 1s, for: 1s, service: b, crash: true}]", "[{at: 2900ms, for: 1s, service: b, crash: true}]"),
        "failures",
        "less",
    ),
    Knob(
        "FaultSection.for",
        "chain",
        "faults",
        ("[{at: 1s, for: 100ms, service: b, crash: true}]", "[{at: 1s, for: 1s, service: b, crash: true}]"),
        "failures",
    ),
    Knob(
        "FaultSection.service",
        "chain",
        "faults",
        ("[{at: 1s, for: 1s, service: c, crash: true}]", "[{at: 1s, for: 1s, service: b, crash: true}]"),
        "failures",
    ),
    Knob(
        "FaultSection.replicas FaultSection.crash",
        "chain",
        "faults",
        (
            "[{at: 1s, for: 1s, service: b, crash: true, replicas: 1}]",
            "[{at: 1s, for: 1s, service: b, crash: true, replicas: 3}]",
        ),
        "failures",
    ),
    Knob(
        "FaultSection.instances",
        "chain",
        "faults",
        (
            "[{at: 1s, for: 1s, service: b, crash: true, instances: [1]}]",
            "[{at: 1s, for: 1s, service: b, crash: true, instances: [1, 2, 3]}]",
        ),
        "failures",
    ),
    Knob(
        "FaultSection.slow",
        "chain",
        "faults",
        ("[{at: 1s, for: 1s, service: b, slow: 2}]", "[{at: 1s, for: 1s, service: b, slow: 6}]"),
        "mean",
    ),
    Knob(
        "FaultSection.errors",
        "chain",
        "faults",
        ("[{at: 1s, for: 1s, service: b, errors: 5%}]", "[{at: 1s, for: 1s, service: b, errors: 60%}]"),
        "failures",
    ),
    Knob(
        "FaultSection.unreachable",
        "chain",
        "faults",
        (
            "[{at: 1s, for: 100ms, service: b, crash: true, replicas: 1}]",
            "[{at: 1s, for: 100ms, service: b, unreachable: true, replicas: 1}]",
        ),
        "max",
        "more",
        ("mesh.traffic.b.timeout=400ms",),
    ),
    Knob(
        "FaultSection.zone",
        "zones",
        "faults",
        ("[{at: 1s, for: 1s, service: b, zone: x, crash: true}]", "[{at: 1s, for: 1s, service: b, zone: y, crash: true}]"),
        "failures",
    ),
    Knob(
        "FaultSection.subset",
        "chain",
        "faults",
        ("[{at: 1s, for: 1s, service: b, subset: v1, crash: true}]", "[{at: 1s, for: 1s, service: b, subset: v2, crash: true}]"),
        "failures",
        "more",
        ("services.b.subsets={v1: 1, v2: 3}",),
    ),
    Knob("RunSection.duration", "chain", "run.duration", ("1s", "3s"), "requests"),
    Knob("RunSection.warm_up", "chain", "run.warm_up", ("0s", "2s"), "measured requests", "less"),
    Knob("RunSection.seed", "chain", "run.seed", ("1", "2"), "anything", "other"),
    Knob("RunSection.interval", "chain", "run.interval", ("100ms", "1s"), "counter rows", "less"),
    Knob(
        "RunSection.records Sampled.sampled",
        "chain",
        "run.records",
        ("{sampled: 90%}", "{sampled: 10%}"),
        "kept requests",
        "less",
    ),
    Knob("Scenario.deployment", "chain", "deployment", ("gateway", "gateway+mesh"), "mean", "more", ("mesh.proxy_time=1ms",)),
    Knob("Scenario.defaults", "chain", "defaults", ("none", "istio"), "mean"),
]

KNOBS = [*WORLD]
