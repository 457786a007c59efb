"""Results for people: tables in a terminal, charts, and a page for a review."""
