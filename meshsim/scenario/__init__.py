"""Scenarios: files in, one checked model out."""
