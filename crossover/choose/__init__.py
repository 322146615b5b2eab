"""Use what a run found: which contender for which case, and a file to ship it in."""
