"""The report for a design review: one HTML file that is complete in itself; the same as Markdown, JUnit and PDF."""

from meshsim.report.page.html import page
from meshsim.report.page.junit_xml import junit
from meshsim.report.page.markdown_text import markdown
from meshsim.report.page.paper import pdf

__all__ = ["junit", "markdown", "page", "pdf"]
