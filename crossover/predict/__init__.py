"""What an accelerator that is not here would do, by its data sheet: no measurement."""
