"""The cells for asv and pytest-benchmark, whose suites are in `bench/`."""
