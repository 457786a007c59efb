"""The way of requests before anything runs: who calls whom, how often, and what proxies let pass."""
