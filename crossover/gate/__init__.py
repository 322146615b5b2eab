"""What changed between runs, and whether that stops a change of the code."""
