"""The jobs that the engine can be asked about: declared as data, run by definitions."""
