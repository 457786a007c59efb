"""Where the time of the slowest requests goes."""
