"""One file per implementation; see `softmax_core.registry`."""
