"""What a hop costs in a large mesh, against a small one: processor time for each attempt, and memory.

    python benchmarks/mesh_size.py                       # 12 services of 2 replicas, and 1,000 of 10
    python benchmarks/mesh_size.py --all                 # nine meshes: trees, chains, a fan-out of 200, layers
    python benchmarks/mesh_size.py --duration-s 5 --rounds 1

All meshes get about 7,000 hops a simulated second, whatever one request needs. Every run is a process of its own; the engine alone is
measured, with the building of its model, and keeps no rows. Prints a Markdown table. Unix only (the peak memory comes from `getrusage`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any, NamedTuple

HOPS_PER_S = 7000
LAYERS = 6


class Mesh(NamedTuple):
    """What is measured."""

    shape: str
    """`tree`: each service calls up to three others, each call is made with a probability, so that a request goes to about as many services as
    there are levels. `chain`: each calls the next. `fan-out`: the first calls all others at once. `layers`: each calls two of the next layer."""
    services: int
    replicas: int


PAIR = (Mesh("tree", 12, 2), Mesh("tree", 1000, 10))
ALL = (
    *PAIR,
    Mesh("tree", 100, 10),
    Mesh("tree", 300, 10),
    Mesh("tree", 12, 200),
    Mesh("chain", 12, 1),
    Mesh("chain", 12, 200),
    Mesh("fan-out", 201, 2),
    Mesh("layers", 300, 10),
)


def calls(mesh: Mesh, number: int) -> list[Any]:
    """The steps of a service that call others."""
    last = mesh.services - 1
    if mesh.shape == "chain":
        return [{"call": f"s{number + 1}"}] if number < last else []
    if mesh.shape == "fan-out":
        return [[{"call": f"s{one}"} for one in range(1, mesh.services)]] if not number else []
    if mesh.shape == "layers":
        width = last // LAYERS
        first = 1 if not number else 1 + ((number - 1) // width + 1) * width
        called = [first + (number * 7) % width, first + (number * 7 + 3) % width]
        return [{"call": f"s{one}"} for one in called if one <= last]
    called = [one for one in (2 * number + 1, 2 * number + 2, number + mesh.services // 2) if one <= last]
    return [
        {"call": f"s{one}", "probability": share}
        for one, share in zip(dict.fromkeys(called), ("45%", "45%", "10%"), strict=False)
    ]


def hops(mesh: Mesh) -> float:
    """About how many services a request goes to."""
    if mesh.shape == "tree":
        return 7.0 if mesh.services > 100 else 4.0
    return {"chain": float(mesh.services), "fan-out": float(mesh.services), "layers": 2.0 ** (LAYERS + 1) - 1}[mesh.shape]


def scenario(mesh: Mesh, duration_s: float) -> dict[str, Any]:
    """The mesh under a gateway, all sidecars at their defaults."""
    load = {
        "executor": "constant-arrival-rate",
        "arrivals": "poisson",
        "rate": f"{HOPS_PER_S / hops(mesh):.0f}/s",
        "requests": {"all": 1},
    }
    compute = {"compute": {"exponential": {"mean": "1ms"}}}
    return {
        "name": f"{mesh.shape}-of-{mesh.services}",
        "deployment": "gateway+mesh",
        "load": {"clients": load},
        "gateway": {"routes": {"all": {"path": "/", "to": "s0"}}},
        "mesh": {"proxy_time": "0ms"},
        "services": {
            f"s{number}": {"replicas": mesh.replicas, "workers": 64, "script": [compute, *calls(mesh, number)]}
            for number in range(mesh.services)
        },
        "network": {"same_zone": "200us"},
        "run": {"duration": f"{duration_s:g}s"},
    }


def measure(mesh: Mesh, duration_s: float) -> dict[str, float]:
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
    plan = ms.load(scenario(mesh, duration_s)).plan
    before, began_s = peak_bytes(), time.process_time()
    reference.run(plan, 1, 0, (attempts,))
    cpu_s = time.process_time() - began_s
    return {"attempts": attempts.count, "cpu_s": cpu_s, "before_bytes": before, "peak_bytes": peak_bytes()}


def child(mesh: Mesh, duration_s: float) -> dict[str, float]:
    """The same in a fresh process."""
    command = [sys.executable, __file__, "--one", *map(str, mesh), "--duration-s", str(duration_s)]
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return figures


def main() -> None:
    """Measure all sizes in turn, so often, and print the best of each."""
    parser = argparse.ArgumentParser(description="What a hop costs in a large mesh.")
    parser.add_argument("--duration-s", type=float, default=10.0, help="simulated seconds (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, of which the fastest counts (default 3)")
    parser.add_argument("--all", action="store_true", help="nine meshes instead of two")
    parser.add_argument("--one", nargs=3, metavar=("SHAPE", "SERVICES", "REPLICAS"), help="one run in this process, as JSON")
    arguments = parser.parse_args()
    if arguments.one:
        shape, services, replicas = arguments.one
        print(json.dumps(measure(Mesh(shape, int(services), int(replicas)), arguments.duration_s)))
        return
    best: dict[Mesh, dict[str, float]] = {}
    for _ in range(arguments.rounds):
        for mesh in ALL if arguments.all else PAIR:
            found = child(mesh, arguments.duration_s)
            best[mesh] = min(best.get(mesh, found), found, key=lambda one: one["cpu_s"])
    first = best[PAIR[0]]
    print(
        "| mesh | services x replicas | attempts | us of processor time a hop | x the first | peak memory | of that, for the run |"
    )
    print("|---|---|---:|---:|---:|---:|---:|")
    for mesh, run in best.items():
        hop_us = run["cpu_s"] / run["attempts"] * 1e6
        ratio = hop_us / (first["cpu_s"] / first["attempts"] * 1e6)
        own_mb = (run["peak_bytes"] - run["before_bytes"]) / 1e6
        print(
            f"| {mesh.shape} | {mesh.services:,} x {mesh.replicas} | {run['attempts']:,.0f} | {hop_us:.1f} | {ratio:.2f} "
            f"| {run['peak_bytes'] / 1e6:.0f} MB | {own_mb:.0f} MB |"
        )


if __name__ == "__main__":
    main()
