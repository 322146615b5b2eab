"""Files: written whole or not at all, read with limits, their texts escaped."""
