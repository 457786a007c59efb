"""STUB until the loader lands."""
from __future__ import annotations
import hashlib, json
from dataclasses import dataclass, field
from pathlib import Path
from ruamel.yaml import YAML
from meshsim.scenario.model import Scenario


@dataclass(frozen=True)
class LoadedScenario:
    scenario: Scenario
    variant: str | None
    changes: tuple
    file: str
    digest: str
    data_files: dict
    text: str


def load(source, *, variant=None, set=()):
    data = source if isinstance(source, dict) else YAML(typ="safe").load(Path(source))
    def merge(a, b):
        out = dict(a)
        for k, v in b.items():
            out[k] = merge(out[k], v) if isinstance(v, dict) and isinstance(out.get(k), dict) else v
        return out
    if variant:
        data = merge(data, data["variants"][variant] or {})
    for one in set:
        path, _, value = one.partition("=")
        keys = path.split(".")
        patch = YAML(typ="safe").load(value)
        for key in reversed(keys):
            patch = {key: patch}
        data = merge(data, patch)
    text = json.dumps(data, sort_keys=True, default=str)
    return LoadedScenario(Scenario.model_validate(data), variant, tuple(set), str(source)[:80], hashlib.sha256(text.encode()).hexdigest(), {}, text)
