"""Trainer fused against outsiders: `python -m benchmarks.peers`; docs/peers.md."""
