"""From records to figures: streaming tallies, the summary of a run, and the judgement of its thresholds."""
