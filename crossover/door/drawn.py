"""The picture of a sweep in a user's process, whose matplotlib stays as it is."""

import os
from collections.abc import Sequence

from crossover.analysis.sweeps import SweepResult
from crossover.report.pictures import captions
from crossover.report.pictures.curves import sweep_figure
from crossover.report.pictures.drawing import Figure, mpl
from crossover.report.pictures.figures import image, palette_of, small_png
from crossover.report.words.document import Picture

BACKEND = "MPLBACKEND"
chosen = os.environ.get(BACKEND)
if chosen and mpl.rcParams["backend"] == "agg":  # a notebook's; our import left it out
    mpl.rcParams["backend"] = chosen


def drawn(sweeps: Sequence[SweepResult], result: SweepResult) -> Figure:
    """Return the figure of one of a run's sweeps; a notebook shows it by itself."""
    figure = sweep_figure(result, palette_of(sweeps))
    # IPython draws figures of pyplot only, unless they say how.
    vars(figure)["_repr_png_"] = lambda: image(figure, "png")
    return figure


def picture(sweeps: Sequence[SweepResult], result: SweepResult) -> Picture:
    """Return the figure of one of a run's sweeps as a PNG, with its description."""
    heading, alt, caption = captions.sweep(result)
    figure = sweep_figure(result, palette_of(sweeps))
    return Picture("sweep", heading, alt, caption, png=small_png(figure))
