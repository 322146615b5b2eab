"""Whole epochs in one compiled call on the CPU (docs/fused.md)."""
