"""Compare trainer fused with outsiders: see `__main__.py` and docs/peers.md."""
