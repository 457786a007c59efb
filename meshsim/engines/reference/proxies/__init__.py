"""Proxies: gateway replicas, sidecars, node proxies and waypoints, with their filters and routes."""
