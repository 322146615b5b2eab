"""Check whether a machine is fit to measure on; `examine` is the way in."""
