"""The measuring: each file is one stage or one noun. Read `nouns`, then `run`."""
