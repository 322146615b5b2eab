"""How a cell is measured: clock, sampler, and the worker process around them."""
