"""Experiments: a scenario run, and what came of it."""
