"""The statistics of comparison: pure functions of the figures of independent replications."""
