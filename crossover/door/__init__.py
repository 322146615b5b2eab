"""The engine as people hold it in Python: what finds answers, and what holds them."""
