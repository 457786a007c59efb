"""Scenario to Plan: names become indices, defaults are filled in, policies are built, files are read.

Indices follow the alphabet and not the file, so that the order of keys in a file changes nothing.
"""

from meshsim.planning.planner import make_plan

__all__ = ["make_plan"]
