"""What all parts of the style share: ink, paper and the size of text."""

from __future__ import annotations

INK = "#222222"
"""Text, axes and grid; `currentColor` in an SVG."""
PAPER = "#ffffff"
"""What is behind the drawing; the page's own colour in an SVG."""
FONT_SIZE = 9.5
"""Points of all text: 6.1 on paper, when a figure of 5.2 inches is printed on half of A4's width (85 mm)."""
ROW_POINTS = 13.5
"""From one line of text to the next."""
CHARACTER_POINTS = 5.6
"""Width of a character of DejaVu Sans at that size, on the generous side, for what must be known before it is drawn."""
OWN_FIGURE = "meshsim chart"
"""Label of a figure that a chart made for itself, and may make higher for its legend."""
