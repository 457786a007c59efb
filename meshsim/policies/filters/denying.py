"""What filters that ask who somebody is have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.errors import did_you_mean
from meshsim.flags import Flag
from meshsim.policies.filters.filter import Decision, Verdict
from meshsim.registry import SettingError

if TYPE_CHECKING:
    from collections.abc import Iterable

UNAUTHORIZED = Verdict(401, int(Flag.unauthenticated), decision=Decision.DENIED)
"""The answer to bad credentials, or none. Envoy sets no flag for it (its log says why in the response code's details): the flag is our own."""


def marked(field: str, names: Iterable[str], known: tuple[str, ...]) -> list[bool]:
    """Whether each thing is named, by its number, and last, at -1, whether one without a name is; where no names are given, all are.

    Args:
        field: The setting that gives the names.
        names: The names.
        known: All names there are, by number.

    Raises:
        SettingError: There is no such thing.
    """
    wanted = set(names)
    for name in names:
        if name not in known:
            raise SettingError(field, f"there is no {name!r}{did_you_mean(name, filter(None, known))}")
    return [not wanted or name in wanted for name in known] + [not wanted]
