"""What the operating system does to a program, and what it tells of it."""
