"""What to measure next, from the spec and what is recorded: pure functions."""
