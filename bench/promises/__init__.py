"""Scripts that measure what the docs promise: `python -m bench.promises.NAME`."""
