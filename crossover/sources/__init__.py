"""Other people's numbers, read into the engine's terms."""
