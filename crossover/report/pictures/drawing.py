"""The one import of matplotlib and seaborn: none of the user's settings counts.

As it is imported, matplotlib reads a `matplotlibrc` in the current folder or wherever
MATPLOTLIBRC says, MPLBACKEND, and the styles in the user's folder of settings. The
package imports this module before its others, so that none of these is ever read: a
picture looks the same on every machine, and nobody's file is obeyed.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossover.files.elsewhere import within

OURS = Path(__file__).parent
"""This folder holds the `matplotlibrc` that counts."""
SETTINGS = ("MPLBACKEND", "MATPLOTLIBRC")
PLACES = ("MPLCONFIGDIR", "XDG_CACHE_HOME", "HOME")
"""Where matplotlib keeps its list of fonts; a relative one would be in any folder."""


@contextmanager
def _by_ours() -> Iterator[None]:
    """Let matplotlib find our settings, and no others, inside the `with` block."""
    before = dict(os.environ)
    for name in (*SETTINGS, *PLACES):
        if name in SETTINGS or not os.path.isabs(os.environ.get(name, "/")):
            os.environ.pop(name, None)
    # It would warn of a folder that it cannot write, and does without.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        with within(OURS):
            yield
    finally:
        for name in (*SETTINGS, *PLACES):
            if name in before:
                os.environ[name] = before[name]


with _by_ours():
    import matplotlib as mpl

    mpl.get_configdir = lambda: str(OURS)  # where the user's styles would be
    import seaborn as sns
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Axes", "Figure", "mpl", "sns"]
