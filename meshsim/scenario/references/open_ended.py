"""Whether a call in a script may be waited for without an end."""

from __future__ import annotations

from typing import Any

from meshsim.scenario.defaults import UnknownDefaultError, resolve
from meshsim.scenario.files.nodes import mapping

EVERY_DESTINATION = "*"
OFF = (None, "none", 0, "0", "0s", "0ms")


def is_open_ended(tree: Any, step: dict[str, Any]) -> bool:
    """Whether somebody waits for a call, and neither the service nor its sidecar ever gives it up."""
    if step.get("wait") is False or _gives_up(step):
        return False
    has_mesh = "mesh" in str(tree.get("deployment"))
    entries = mapping(tree, "mesh" if has_mesh else "direct", "traffic")
    blocks = [mapping(entries.get(key)) for key in (step["call"].partition("/")[0], EVERY_DESTINATION)]
    if any(map(_gives_up, blocks)):
        return False
    is_written = any("timeout" in block for block in blocks)
    return is_written or not has_mesh or not _has_a_timeout(tree.get("defaults", "none"))


def _gives_up(settings: dict[str, Any]) -> bool:
    given = (settings.get("timeout"), settings.get("idle_timeout"), mapping(settings.get("retries")).get("per_try_timeout"))
    return any(one not in OFF for one in given)


def _has_a_timeout(product: Any) -> bool:
    """Whether the product has one where none is written; one that is not known is told elsewhere."""
    try:
        return bool(resolve(str(product)).default("traffic.timeout").value)
    except UnknownDefaultError:
        return True
