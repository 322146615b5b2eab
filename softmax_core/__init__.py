"""What is measured: softmax regression, with one trainer per implementation.

The package has no output, no clock but that by which `fused` chooses its way, and knows
nothing of `crossover`. Names load on first use, so that reading a `Case` does not
import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from softmax_core.case import Case
    from softmax_core.data import BatchOrder, Data, initial_weights, make_data
    from softmax_core.model import SoftmaxRegression
    from softmax_core.reference import TOLERANCE, disagreement, reference_weights
    from softmax_core.training import Session, Trainer, evaluate, get_trainer, train

_MODULES = ("case", "data", "model", "reference", "training")
"""The modules that names are looked up in: the first of them load the least."""

__all__ = [
    "TOLERANCE",
    "BatchOrder",
    "Case",
    "Data",
    "Session",
    "SoftmaxRegression",
    "Trainer",
    "disagreement",
    "evaluate",
    "get_trainer",
    "initial_weights",
    "make_data",
    "reference_weights",
    "train",
]


def __getattr__(name: str) -> object:
    for module in _MODULES if name in __all__ else ():
        found = getattr(import_module(f"softmax_core.{module}"), name, None)
        if found is not None:
            return found
    raise AttributeError(f"module 'softmax_core' has no attribute {name!r}")
