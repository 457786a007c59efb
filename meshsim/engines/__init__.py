"""Engines: from a Plan, a seed and a replication to records."""
