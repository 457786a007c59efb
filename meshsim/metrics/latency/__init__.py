"""Distributions of times: histograms, quantiles, and what a dashboard would show."""
