"""Is this machine fit to measure on? Facts at the edge, pure checks, and a run."""
