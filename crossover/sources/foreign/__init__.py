"""Other tools' results of any benchmark, read as rows of times with their names."""
