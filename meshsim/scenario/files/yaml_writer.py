"""A scenario written down again."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from meshsim.scenario.files.nodes import Plain


def as_yaml(tree: Plain) -> str:
    """Plain settings as YAML, in their order, short mappings on one line."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 120
    text = io.StringIO()
    yaml.dump(tree, text)
    return text.getvalue()
