"""Small scenarios that knobs are turned in: a gateway, a (two instances) and b (four), for a few seconds."""

from __future__ import annotations

from typing import Any

LOAD = {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "150/s", "requests": {"main": 1}, "consumer": "acme"}
SERVICES: dict[str, Any] = {
    "a": {"replicas": 2, "workers": 8, "script": [{"compute": "1ms"}, {"call": "b"}]},
    "b": {"replicas": 4, "workers": 2, "script": [{"compute": {"exponential": {"mean": "8ms"}}}]},
    "c": {"replicas": 1, "workers": 4, "script": [{"compute": "3ms"}]},
}
CHAIN: dict[str, Any] = {
    "name": "chain",
    "defaults": "none",
    "deployment": "gateway+mesh",
    "load": {"users": LOAD},
    "gateway": {"routes": {"main": {"path": "/main", "to": "a"}}},
    "mesh": {"traffic": {"b": {"load_balancer": "round_robin"}}},
    "services": SERVICES,
    "network": {"same_zone": "500us"},
    "run": {"duration": "3s", "interval": "100ms", "seed": 1},
}
RETRIES = {"num_retries": 2, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "10ms"}}


def _changed(services: dict[str, Any] | None = None, traffic: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    """The chain with other settings of services, of the traffic to b, and at the top."""
    made = {**CHAIN, **top}
    made["services"] = {name: {**section, **(services or {}).get(name, {})} for name, section in SERVICES.items()}
    made["mesh"] = {"traffic": {"b": {**CHAIN["mesh"]["traffic"]["b"], **(traffic or {})}}, **top.get("mesh", {})}
    return made


def _slow(replicas: int, factor: float) -> list[dict[str, Any]]:
    return [{"at": "0s", "for": "3s", "service": "b", "replicas": replicas, "slow": factor}]


FAULTY = [{"at": "500ms", "for": "1500ms", "service": "b", "replicas": 1, "errors": "100%"}]
BASES: dict[str, dict[str, Any]] = {
    "chain": CHAIN,
    "errors": _changed({"b": {"errors": "20%"}}),
    "retries": _changed({"b": {"errors": "30%"}}, {"retries": RETRIES}),
    "storm": _changed({"b": {"errors": "60%", "workers": 2}}, {"retries": {**RETRIES, "num_retries": 4}}),
    "slow host": _changed(faults=_slow(1, 8.0)),
    "faulty host": _changed(faults=FAULTY),
    "crash": _changed(faults=[{"at": "500ms", "for": "1s", "service": "b", "replicas": 2, "crash": True}]),
    "unreachable": _changed(
        traffic={"timeout": "300ms"},
        faults=[{"at": "500ms", "for": "1500ms", "service": "b", "replicas": 1, "unreachable": True}],
    ),
    "busy": _changed({"b": {"replicas": 2, "workers": 1}}, load={"users": {**LOAD, "rate": "260/s", "timeout": "1s"}}),
    "two classes": _changed(
        {"b": {"replicas": 2, "workers": 1, "queue": {"limit": 5}}},
        load={
            "users": {**LOAD, "rate": "60/s", "criticality": "critical_plus"},
            "batch": {**LOAD, "rate": "220/s", "criticality": "sheddable", "consumer": "zeta"},
        },
    ),
    "zones": _changed(
        {"a": {"replicas": 4, "zones": {"x": 2, "y": 2}}, "b": {"zones": {"x": 1, "y": 3}}},
        load={"users": {**LOAD, "zone": "x"}},
        gateway={"zone": "x", **CHAIN["gateway"]},
        network={"same_zone": "500us", "cross_zone": "4ms"},
    ),
    "keys": _changed(
        traffic={"load_balancer": "ring_hash", "hash_on": "key"}, load={"users": {**LOAD, "keys": {"count": 30, "zipf": 1.0}}}
    ),
    "connections": _changed(traffic={"connections": {}}),
    "tls": _changed(mesh={"mtls": {"handshake_time": "2ms", "resumed_handshake_time": "500us"}}),
    "http2": _changed(traffic={"connections": {"protocol": "http2"}}),
    "lifecycle": _changed(
        {"b": {"restarts": [{"at": "500ms", "batch": 1}], "startup_time": "100ms"}},
        mesh={"discovery": {"debounce_after": "20ms"}},
    ),
    "scaled": _changed({"b": {"scale": [{"at": "1s", "replicas": 6}], "startup_time": "100ms"}}),
    "deadline": _changed(
        {"a": {"deadline_propagation": True}, "b": {"replicas": 1, "workers": 1, "deadline_propagation": True}},
        load={"users": {**LOAD, "rate": "200/s", "timeout": "100ms"}},
    ),
    "ambient": _changed(
        mesh={
            "mode": "ambient",
            "node_proxy": {"proxy_time": "100us"},
            "waypoints": {"proxy_time": "300us", "services": {"b": {}}},
        }
    ),
    "users": _changed(load={"users": {"executor": "constant-vus", "vus": 6, "think_time": "20ms", "requests": {"main": 1}}}),
    "gateway alone": {**CHAIN, "deployment": "gateway"},
    "direct": {
        **CHAIN,
        "deployment": "none",
        "direct": {"traffic": {"b": {}}},
        "load": {"users": {**LOAD, "requests": {"a": 1}}},
        "gateway": None,
    },
    "two consumers": _changed(load={"users": {**LOAD, "rate": "60/s"}, "others": {**LOAD, "rate": "60/s", "consumer": "zeta"}}),
    "ramp": _changed(
        load={
            "users": {
                "executor": "ramping-arrival-rate",
                "arrivals": "poisson",
                "requests": {"main": 1},
                "stages": [{"target": "100/s", "duration": "3s"}],
            }
        }
    ),
    "ramping users": _changed(
        load={
            "users": {
                "executor": "ramping-vus",
                "think_time": "20ms",
                "requests": {"main": 1},
                "stages": [{"target": 4, "duration": "2s"}],
            }
        }
    ),
    "operations": _changed(
        {"a": {"script": [{"call": "b/get"}]}, "b": {"operations": {"get": {"script": [{"compute": "4ms"}]}}}}, mesh={"mtls": {}}
    ),
    "busy gateway": _changed(gateway={**CHAIN["gateway"], "workers": 1, "proxy_time": "5ms"}),
    "three zones": _changed(
        {"a": {"zones": {"x": 2}}, "b": {"replicas": 5, "zones": {"x": 1, "y": 2, "z": 2}}},
        {"health_checks": {"interval": "50ms", "timeout": "20ms", "unhealthy_threshold": 1, "healthy_threshold": 1}},
        load={"users": {**LOAD, "zone": "x"}},
        gateway={"zone": "x", **CHAIN["gateway"]},
        network={"same_zone": "500us", "cross_zone": {"exponential": {"mean": "4ms"}}},
        faults=[{"at": "300ms", "for": "2s", "service": "b", "zone": "x", "crash": True}],
    ),
    "priorities": _changed(
        {"b": {"priorities": [0, 0, 1, 1]}},
        {"outlier_detection": {"interval": "100ms", "max_ejection_percent": "100%", "consecutive_5xx": 3}},
        faults=[{"at": "300ms", "for": "2s", "service": "b", "replicas": 1, "errors": "100%"}],
    ),
}
for _one in BASES.values():
    if _one.get("gateway", 1) is None:
        del _one["gateway"]
