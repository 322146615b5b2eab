"""Trainer fused against outsiders: `python -m bench.promises.peers`; docs/peers.md."""
