"""The lesson's experiments next to its published numbers: `crossover lesson`."""
