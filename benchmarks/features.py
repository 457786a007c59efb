"""What each feature of the mesh costs when it is switched on: processor time of the two-hop chain, against the chain as it stands.

    python benchmarks/features.py --duration-s 10 --rounds 3

Prints a Markdown table. A feature may also change what happens (more tries, more events); events are therefore given too.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from measure import SCENARIO

import meshsim as ms
from meshsim.engines import reference

B = "mesh.traffic.b"
FEATURES: dict[str, dict[str, Any]] = {
    "as it stands": {},
    "peak EWMA": {f"{B}.load_balancer": "peak_ewma"},
    "full scan": {f"{B}.load_balancer": {"least_request": {"selection_method": "full_scan"}}},
    "client-side weights": {f"{B}.load_balancer": "client_side_weighted_round_robin"},
    "ring hash": {f"{B}.load_balancer": "ring_hash", f"{B}.hash_on": "route"},
    "locality failover": {f"{B}.locality": "locality_failover"},
    "outlier detection": {f"{B}.outlier_detection": {}},
    "failure accrual": {f"{B}.failure_accrual": "consecutive"},
    "health checks": {
        f"{B}.health_checks": {"interval": "1s", "timeout": "500ms", "unhealthy_threshold": 2, "healthy_threshold": 2},
    },
    "circuit breaker": {f"{B}.circuit_breaker": {}},
    "client throttling": {f"{B}.client_throttling": {}},
    "concurrency limit": {f"{B}.concurrency_limit": "gradient2"},
    "limits of connections": {f"{B}.circuit_breakers": {"max_connections": 1000, "max_requests": 1000}},
    "connections, HTTP/1.1": {f"{B}.connections": {}},
    "connections, HTTP/2": {f"{B}.connections": {"protocol": "http2"}},
    "mTLS": {"mesh.mtls": {}},
    "token budget": {f"{B}.retry_token_budget": "leaky_budget"},
    "hedging at p95": {f"{B}.hedge_policy": {"quantile": "95%"}},
    "mirroring 10 %": {f"{B}.mirror": {"to": "b", "share": "10%"}},
    "deadlines": {"services.a.deadline_propagation": True, "services.b.deadline_propagation": True},
    "adaptive concurrency": {"mesh.inbound": {"b": {"filters": [{"adaptive_concurrency": {}}]}}},
    "telemetry": {"mesh.telemetry": {"stats": True}},
    "ambient, with waypoints": {"mesh.mode": "ambient", "mesh.waypoints": {"services": {"b": {}}}},
}


def measure(sets: dict[str, Any], duration_s: float) -> tuple[float, int, int]:
    """Processor seconds of one run without records, its requests and its events."""
    changes = [f"{path}={json.dumps(value)}" for path, value in sets.items()]
    plan = ms.load(SCENARIO, duration=f"{duration_s:g}s", set=changes).plan
    began_s = time.process_time()
    progress = reference.run(plan, 1, 0, ())
    return time.process_time() - began_s, progress.requests, progress.events


def main() -> None:
    """Measure all features in turn, so often, and print the best of each."""
    parser = argparse.ArgumentParser(description="What each feature costs when it is on.")
    parser.add_argument("--duration-s", type=float, default=10.0, help="simulated seconds (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, of which the fastest counts (default 3)")
    arguments = parser.parse_args()
    best: dict[str, tuple[float, int, int]] = {}
    for _ in range(arguments.rounds):
        for name, sets in FEATURES.items():
            found = measure(sets, arguments.duration_s)
            best[name] = min(best.get(name, found), found)
    base_s = best["as it stands"][0]
    print("| feature | processor time | requests per second | events per request |\n|---|---|---|---|")
    for name, (seconds, requests, events) in best.items():
        print(f"| {name} | {seconds / base_s:.2f} x | {requests / seconds:,.0f} | {events / requests:.1f} |")


if __name__ == "__main__":
    main()
