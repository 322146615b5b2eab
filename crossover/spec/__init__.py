"""What is asked: a spec in TOML, its sweeps, contenders and nodes, each validated."""
