"""A request as filters see it, made up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Request:
    """What a filter may look at; a plain one brings nothing."""

    consumer: int = 0
    route: int = 0
    content_key: int = -1
    address: int = 0
    credential: int = -1
    is_valid: bool = True
    criticality: int = 0
    kib: float = 0.0
    is_write: bool = False


PLAIN = Request()
