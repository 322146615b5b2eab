"""One training spread over several processes (docs/data_parallel.md)."""
