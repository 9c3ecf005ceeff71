"""Statistics, each with its source: intervals, changes, bursts, durations of which some are not over."""
