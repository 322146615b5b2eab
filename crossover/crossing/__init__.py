"""Where two curves cross, and how sure that is: arrays in, answers out."""
