"""Destinations: one proxy's view of a service, whom it thinks healthy, and its connections."""
