"""meshsim and the plain hand-written model of the two-hop chain are the same model.

Both run ten times 60 s with the same ten seeds, which give them different worlds. Every figure is compared by its difference in
standard errors (beyond 4 in one of 16,000 by chance, for each of six figures); mean, p50 and p99 of both are held to
reference/performance.md, section 2, within 3 %.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import meshsim as ms

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SECONDS = 60.0
SEEDS = range(1, 11)
REFERENCE_MS = {"mean_ms": (19.43, 19.48), "p50_ms": (16.64, 16.70), "p99_ms": (70.9, 71.4)}


@pytest.fixture(scope="module")
def measure() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module("measure")


@pytest.mark.slow
def test_the_two_models_agree_with_each_other_and_with_the_reference(measure: ModuleType) -> None:
    experiment = ms.load(BENCHMARKS / "two_hop_chain.yaml", duration=f"{SECONDS:g}s")
    ours, theirs = [], []
    for seed in SEEDS:
        ours.append(measure.batches(measure.of_meshsim(experiment.run(seed=seed)), SECONDS))
        theirs.append(measure.batches(measure.of_plain(measure.plain_simpy.run(SECONDS, seed)), SECONDS))

    for name in ours[0]:
        one, two = (np.concatenate([run[name] for run in runs]) for runs in (ours, theirs))
        error = np.sqrt(one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two))
        assert abs(one.mean() - two.mean()) < 4 * error, (name, one.mean(), two.mean(), error)
        for mean in (one.mean(), two.mean()):
            low, high = REFERENCE_MS.get(name, (0.0, np.inf))
            assert low * 0.97 < mean < high * 1.03, (name, mean)
