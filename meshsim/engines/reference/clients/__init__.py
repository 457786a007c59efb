"""Clients: open and closed loads, and their connections to the gateway."""
