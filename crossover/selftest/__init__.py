"""Check that the program finds crossovers that are known exactly."""
