"""The command line, as `python -m crossover`."""

import sys
from pathlib import Path

# Python puts the current folder first, where any module may hide one that we import. It
# stays where this package itself lies in it.
if not sys.flags.safe_path and sys.path[0] != str(Path(__file__).parents[1]):
    del sys.path[0]

from crossover.cli import main

main()
