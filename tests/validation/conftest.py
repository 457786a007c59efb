"""What the tests against measurements share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module")
def envoy(shared: Path) -> Path:
    return shared / "reference" / "envoy"
