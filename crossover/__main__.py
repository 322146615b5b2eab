"""The command line, as `python -m crossover`."""

from crossover.cli import main

main()
