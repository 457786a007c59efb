"""A Dask cluster as the place where joblib's tasks are done.

`dask scheduler` on one machine, `dask worker tcp://host:8786 --nthreads 1 --nworkers auto` on each: tasks are pure Python, so a
process for each core is what counts. The tasks of a worker that dies go to another one.
"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

try:
    import distributed
except ImportError:
    distributed = None

from meshsim.errors import SeamError

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 10


@dataclass(frozen=True, slots=True)
class Cluster:
    """A scheduler and its workers."""

    address: str
    cores: int
    """How many tasks its workers do at a time, when it was asked."""
    client: Any

    def check(self) -> None:
        """Raise `SeamError` where the scheduler is gone: joblib would go on alone, on one core."""
        if self.client.status != "running":
            raise SeamError(f"the scheduler {self.address} is gone")


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """For the time of the context joblib's backend `dask` leads to this scheduler.

    Yields:
        The cluster.

    Raises:
        SeamError: Nothing answers there, it has no workers, they run other versions, or Dask is not installed.
    """
    if distributed is None:
        raise SeamError("--scheduler needs Dask: pip install 'meshsim[dask]'")
    for name in ("distributed", "distributed.client"):  # what they would tell of lost connections is told here, in a sentence
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(address, timeout=PATIENCE_S)
    except (OSError, ValueError) as error:
        reason = f"no answer within {PATIENCE_S} s" if isinstance(error, TimeoutError) else str(error).splitlines()[0]
        raise SeamError(f"cannot reach the scheduler {address} ({reason}); start one with `dask scheduler`") from None
    with client:
        cores = sum(client.ncores().values())
        if not cores:
            raise SeamError(f"the scheduler {address} has no workers; start some with `dask worker {address} --nthreads 1`")
        _refuse_other_versions(client)
        yield Cluster(address, cores, client)


def versions() -> dict[str, str]:
    """What has to be the same everywhere for the same bytes."""
    found = {name: metadata.version(name) for name in ("meshsim", "numpy", "pyarrow", "simpy")}
    return {"python": ".".join(map(str, sys.version_info[:2])), **found}


def _refuse_other_versions(client: Any) -> None:
    ours = versions()
    try:
        theirs = client.run(versions)
    except ImportError:
        raise SeamError("meshsim is not installed where the workers of the scheduler run") from None
    for worker, found in sorted(theirs.items()):
        for name, version in found.items():
            if version != ours[name]:
                raise SeamError(f"the worker {worker} runs {name} {version}, and {ours[name]} runs here: results would differ")
