"""Message queues: that those exist to which messages go, and that each has one consumer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.errors import did_you_mean
from meshsim.scenario.files.nodes import Finding, mapping, shortened, shown
from meshsim.scenario.references.scripts import messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def findings(tree: Any) -> Iterator[Finding]:
    """Queues that do not exist, that several services consume, or that send what is in vain to themselves."""
    queues = mapping(tree, "queues")
    for message in messages(tree):
        if message.queue not in queues:
            yield Finding(message.path, _unknown(message.queue, queues))
    consumed: dict[Any, str] = {}
    for service in mapping(tree, "services"):
        for name in mapping(tree, "services", service, "consumes"):
            path = ("services", service, "consumes", name)
            if name not in queues:
                yield Finding(path, _unknown(name, queues), at_key=True)
            elif name in consumed:
                yield Finding(
                    path,
                    f"{shortened(consumed[name])} consumes {shortened(name)} already, and a queue has one consumer; publish the messages to a"
                    " queue for each",
                    at_key=True,
                )
            else:
                consumed[name] = service
    for name in queues:
        target = mapping(tree, "queues", name).get("dead_letter")
        if isinstance(target, str) and target not in queues:
            yield Finding(("queues", name, "dead_letter"), _unknown(target, queues))
        elif target == name:
            yield Finding(("queues", name, "dead_letter"), "a queue cannot be its own; write another queue")


def _unknown(name: Any, queues: Mapping[str, Any]) -> str:
    hint = did_you_mean(name, queues) if queues else "; write it under `queues`"
    return f"unknown queue {shown(name)}{hint}"
