"""What the tests share."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("meshsim", deadline=None)  # speed is measured in benchmarks/, and a busy machine is no mistake
settings.load_profile("meshsim")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background of a shell that has no job control
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the repository; skips where there is none."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "reference").is_dir():
        pytest.skip("no ../shared beside the repository: nothing to compare with")
    return folder
