"""A run over time: tables with a row for each interval."""
