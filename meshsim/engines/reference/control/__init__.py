"""The control plane: registries, discovery, health checks, lifecycles, faults."""
