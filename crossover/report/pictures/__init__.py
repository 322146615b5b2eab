"""Every figure: its data, its axes, its caption."""
