"""Suites for asv and pytest-benchmark, and the scripts that check our promises."""
