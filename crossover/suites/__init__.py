"""Two more doors to the cells: asv and pytest-benchmark (docs/suites.md)."""
