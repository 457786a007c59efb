"""How much faster is a comparison on several processes than on one? The two-hop chain, twice, with replications.

    python benchmarks/scaling.py [--jobs 2] [--rounds 3] [--replications 8]

Wall time of the whole comparison, from the scenario to the written directory, start-up of the processes included. The rounds are interleaved, and a
busy machine slows both alike: look at the ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import meshsim as ms

CHAIN = Path(__file__).resolve().parent / "two_hop_chain.yaml"


def seconds(jobs: int, replications: int) -> float:
    """One comparison of the chain with itself under another balancer."""
    first, second = (
        ms.load(CHAIN, set=[f"gateway.traffic.a.load_balancer={balancer}", "run.duration=30s"])
        for balancer in ("round_robin", "least_request")
    )
    began_s = time.perf_counter()
    ms.compare(first, second, replications=replications, jobs=jobs)
    return time.perf_counter() - began_s


def main() -> None:
    """One line for each round, and the median."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--replications", type=int, default=8)
    chosen = parser.parse_args()
    ratios = []
    for number in range(chosen.rounds):
        order = (1, chosen.jobs) if number % 2 == 0 else (chosen.jobs, 1)
        took = {jobs: seconds(jobs, chosen.replications) for jobs in order}
        ratios.append(took[1] / took[chosen.jobs])
        print(
            f"round {number + 1}: 1 job {took[1]:.1f} s, {chosen.jobs} jobs {took[chosen.jobs]:.1f} s, {ratios[-1]:.2f} times as fast"
        )
    print(f"median: {statistics.median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
