"""What the command line asks for: its options, and what each command does."""
