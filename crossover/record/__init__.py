"""What a run keeps: its folder, whole after any end, and read as a stranger's."""
