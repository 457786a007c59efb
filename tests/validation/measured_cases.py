"""The measured cases of a real Envoy 1.40: their files, and how each is compared."""

from __future__ import annotations

import gzip
import importlib.util
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

ALL = (
    "adaptive", "admission", "base_det", "base_zero", "cb_conn6", "chain_plain", "hedge100", "hop2_mtls", "hop2_mtls_new",
    "hop2_mtls_resume", "hop2_plain", "hop2_plain_new", "lb_least2", "lb_least2@2", "lb_least2@s111", "lb_least2_conc2",
    "lb_least2_slow1_low", "lb_least_full", "lb_maglev", "lb_maglev@2", "lb_maglev_slow1", "lb_random", "lb_random@2",
    "lb_random@s111", "lb_random_slow1", "lb_ringhash", "lb_ringhash@2", "lb_ringhash_slow1", "lb_rr", "lb_rr@2", "lb_rr@s111",
    "lb_rr_conc2", "lb_rr_slow1", "lb_rr_slow1@2", "lb_rr_slow1_low", "locality_w", "meta_r0", "meta_r3", "meta_r3@2",
    "out_base30", "out_base5", "out_base5@2", "out_max10", "out_off", "out_panic0", "out_panic50", "over_cb_conn8",
    "over_cb_maxreq", "over_cb_pending", "over_none", "over_t500", "over_t500_r2", "over_t500_r2@2", "panic_static", "prio_all",
    "ptt100_r2", "ptt_none", "retry_e10_r0", "retry_e10_r3", "retry_e30_r0", "retry_e30_r1", "retry_e30_r3", "retry_e30_r3@2",
    "retry_e30_r3_backoff100", "retry_e30_r3_backoff100@2", "retry_e30_r3_budget20", "retry_e30_r3_default_cb",
    "retry_inst_noprev", "rl_coarse", "rl_poisson100", "rl_uniform", "slowstart", "slowstart_off",
)  # fmt: skip
"""All 73 that are public."""


@dataclass(frozen=True)
class Case:
    """One measured case.

    Attributes:
        name: Of its folder.
        envoy: The folder of the measurements, with `draws.py`.
    """

    name: str
    envoy: Path

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.envoy / "cases" / self.name

    @cached_property
    def spec(self) -> dict[str, Any]:
        """What case.yaml says."""
        loaded: dict[str, Any] = YAML(typ="safe").load(self.folder / "case.yaml")
        return loaded

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The measured figures."""
        loaded: dict[str, Any] = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        return loaded

    @cached_property
    def world(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Arrivals in s (requests,), service times in s and uniforms for errors, both (services, attempts, requests)."""
        drawn: tuple[np.ndarray, np.ndarray, np.ndarray] = _draws(self.envoy).world(self.spec)
        return drawn

    @cached_property
    def requests(self) -> dict[str, np.ndarray]:
        """The measured requests by column, one row for each; `started_s` and `latency_ms`, -1 where it was not answered."""
        with gzip.open(self.folder / "requests.csv.gz", "rt", encoding="utf-8") as file:
            names = file.readline().strip().split(",")
            rows = [line.rstrip("\n").split(",") for line in file]
        # flags may hold a comma of their own, quoted: they are the last column
        numbers = np.array([row[: len(names) - 1] for row in rows]).astype(np.int64)
        table: dict[str, np.ndarray] = {name: numbers[:, index] for index, name in enumerate(names[:-1])}
        table["flags"] = np.array([",".join(row[len(names) - 1 :]).strip('"') for row in rows])
        table["started_s"] = np.cumsum(table["start_100us"]) / 1e4
        table["latency_ms"] = np.where(table["latency_100us"] < 0, -1.0, table["latency_100us"] / 10)
        return table

    @property
    def warm_up_s(self) -> float:
        """Before this instant nothing is measured."""
        return float(self.summary["warmup_s"])

    @property
    def drained_s(self) -> float:
        """What is not answered by then is lost: the end of the load and the drain after it."""
        return float(self.spec["arrival"]["duration_s"] + self.spec.get("drain_s", 15))

    @property
    def policy(self) -> dict[str, Any]:
        """The policy of the only proxy, or of the first."""
        policy: dict[str, Any] = self.spec["policy"]
        return policy or self.spec["proxies"][0]["policy"]


def _draws(envoy: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("draws", envoy / "draws.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
