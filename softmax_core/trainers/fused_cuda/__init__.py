"""Whole epochs in one kernel launch on a GPU (docs/fused_cuda.md)."""
