"""Names that results know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd


def known(column: str, name: str, frame: pd.DataFrame, called: str | None = None) -> str:
    """The name, where a column of the frame has it; `called` is what to call the column, if not what it is called there.

    Raises:
        UsageError: It has not, and a chart of it would be empty.
    """
    names = [str(one) for one in frame[column].unique()]
    if name not in names:
        raise UsageError(f"no {called or column} '{name}' in these results{did_you_mean(name, names)}")
    return name
