"""What follows from runs: comparisons, gates, baselines and the report page."""
