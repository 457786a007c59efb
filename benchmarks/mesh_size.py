"""What a hop costs in a large mesh, against a small one: processor time for each attempt, and memory.

    python benchmarks/mesh_size.py                       # 12 services of 2 replicas, and 1,000 of 10
    python benchmarks/mesh_size.py --duration-s 5 --rounds 1

Each service calls up to three others, each call is made with a probability, so that a request goes to about as many services as there
are levels. Every run is a process of its own; the engine alone is measured, with the building of its model, and keeps no rows.
Prints a Markdown table. Unix only (the peak memory comes from `getrusage`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

SIZES = ((12, 2), (1000, 10))


def scenario(services: int, replicas: int, duration_s: float) -> dict[str, Any]:
    """A tree of services under a gateway, with some calls across, all sidecars at their defaults."""

    def script(number: int) -> list[Any]:
        called = [one for one in (2 * number + 1, 2 * number + 2, number + services // 2) if one < services]
        probabilities = ("45%", "45%", "10%")
        calls = [
            {"call": f"s{one}", "probability": share} for one, share in zip(dict.fromkeys(called), probabilities, strict=False)
        ]
        return [{"compute": {"exponential": {"mean": "1ms"}}}, *calls]

    return {
        "name": f"mesh-of-{services}",
        "deployment": "gateway+mesh",
        "load": {
            "clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "1000/s", "requests": {"all": 1}}
        },
        "gateway": {"routes": {"all": {"path": "/", "to": "s0"}}},
        "mesh": {"proxy_time": "0ms"},
        "services": {f"s{number}": {"replicas": replicas, "workers": 16, "script": script(number)} for number in range(services)},
        "network": {"same_zone": "200us"},
        "run": {"duration": f"{duration_s:g}s"},
    }


def measure(services: int, replicas: int, duration_s: float) -> dict[str, float]:
    """One run in this process: attempts, processor seconds, and bytes of peak memory before it and at its end."""
    import resource  # noqa: PLC0415 — the parent needs none of this, and is to stay small

    import meshsim as ms  # noqa: PLC0415
    from meshsim.engines import reference  # noqa: PLC0415

    class Attempts:
        """Counts them."""

        count = 0

        def take(self, table: str, chunk: Any) -> None:
            if table == "attempts":
                self.count += len(chunk["id"])

    def peak_bytes() -> int:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024

    attempts = Attempts()
    plan = ms.load(scenario(services, replicas, duration_s)).plan
    before, began_s = peak_bytes(), time.process_time()
    reference.run(plan, 1, 0, (attempts,))
    cpu_s = time.process_time() - began_s
    return {"attempts": attempts.count, "cpu_s": cpu_s, "before_bytes": before, "peak_bytes": peak_bytes()}


def child(services: int, replicas: int, duration_s: float) -> dict[str, float]:
    """The same in a fresh process."""
    command = [sys.executable, __file__, "--one", str(services), str(replicas), "--duration-s", str(duration_s)]
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return figures


def main() -> None:
    """Measure all sizes in turn, so often, and print the best of each."""
    parser = argparse.ArgumentParser(description="What a hop costs in a large mesh.")
    parser.add_argument("--duration-s", type=float, default=10.0, help="simulated seconds (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, of which the fastest counts (default 3)")
    parser.add_argument("--one", type=int, nargs=2, metavar=("SERVICES", "REPLICAS"), help="one run in this process, as JSON")
    arguments = parser.parse_args()
    if arguments.one:
        services, replicas = arguments.one
        print(json.dumps(measure(services, replicas, arguments.duration_s)))
        return
    best: dict[tuple[int, int], dict[str, float]] = {}
    for _ in range(arguments.rounds):
        for size in SIZES:
            found = child(*size, arguments.duration_s)
            best[size] = min(best.get(size, found), found, key=lambda one: one["cpu_s"])
    first = best[SIZES[0]]
    print("| services x replicas | attempts | us of processor time a hop | x the first | peak memory | of that, for the run |")
    print("|---|---:|---:|---:|---:|---:|")
    for (services, replicas), run in best.items():
        hop_us = run["cpu_s"] / run["attempts"] * 1e6
        ratio = hop_us / (first["cpu_s"] / first["attempts"] * 1e6)
        own_mb = (run["peak_bytes"] - run["before_bytes"]) / 1e6
        print(
            f"| {services:,} x {replicas} | {run['attempts']:,.0f} | {hop_us:.1f} | {ratio:.2f} "
            f"| {run['peak_bytes'] / 1e6:.0f} MB | {own_mb:.0f} MB |"
        )


if __name__ == "__main__":
    main()
