"""What policies and filters did over a run, and which of them never acted."""
