"""The report as PDF."""

from __future__ import annotations

import sys

import fakes
import pytest

from meshsim.errors import MeshsimError
from meshsim.report.page import page, pdf


@pytest.mark.slow
def test_the_page_becomes_a_pdf():
    pytest.importorskip("weasyprint", exc_type=ImportError)
    scenario = {name: value for name, value in fakes.SCENARIO.items() if name != "variants"}
    made = pdf(page(fakes.comparison(scenario, replications=2)))

    assert made.startswith(b"%PDF-")
    assert made.rstrip().endswith(b"%%EOF")
    assert len(made) > 30_000


def test_without_weasyprint_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)

    with pytest.raises(MeshsimError, match=r"pip install 'meshsim\[pdf\]'"):
        pdf("<p>text</p>")
