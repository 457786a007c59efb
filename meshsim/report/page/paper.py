"""The page on paper, as PDF."""

from __future__ import annotations

import importlib

from meshsim.errors import UsageError


def pdf(html: str) -> bytes:
    """The report as PDF, A4, in its printed look: light, with everything that opens open.

    Args:
        html: What `page` gave.

    Raises:
        UsageError: WeasyPrint, the extra `pdf`, is missing, or a library that it needs.
    """
    try:
        weasyprint = importlib.import_module("weasyprint")  # half a second, and not everybody has it
    except ImportError:
        raise UsageError("PDF needs WeasyPrint: pip install 'meshsim[pdf]'") from None
    except OSError as error:
        raise UsageError(f"PDF needs WeasyPrint's own libraries (Pango and others), and one is missing: {error}") from None
    made: bytes = weasyprint.HTML(string=html).write_pdf()
    return made
