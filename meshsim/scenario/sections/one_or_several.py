"""Settings that take one word, or a list of them."""

from __future__ import annotations

from functools import reduce
from operator import or_
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from pydantic import Discriminator, Tag


def union_of(members: list[Any]) -> Any:
    """The union of some types; what is wrong with a value is said once, as of a list where it is one.

    Pydantic tries all members of a union and tells what is wrong with each.
    """
    lists = [one for one in members if _is_list(one)]
    others = [one for one in members if not _is_list(one)]
    if not lists or all(one is NoneType for one in others):
        return reduce(or_, members)
    one: Any = Annotated[reduce(or_, others), Tag("<one>")]
    several: Any = Annotated[reduce(or_, lists), Tag("<several>")]
    return Annotated[one | several, Discriminator(_kind)]


def _kind(value: Any) -> str:
    return "<several>" if isinstance(value, list | tuple) else "<one>"


def _is_list(annotation: Any) -> bool:
    origin, inner = get_origin(annotation), get_args(annotation)
    return origin in (tuple, list) or (origin is Annotated and _is_list(inner[0]))
