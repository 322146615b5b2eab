"""The measuring: each file or folder is a stage or a noun. Read `nouns`, then `run`."""
