"""Decide what to measure next, from the spec and the rounds recorded so far."""
