"""Fit scikit-learn's estimators to the same loss; their steps differ from ours.

SGDClassifier steps on one sample at a time, one class against all others, and has no
batches; LogisticRegression runs lbfgs on all samples. Both start from zero weights.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import log_loss

from softmax_core.case import Case
from softmax_core.data import Data

Maker = Callable[[int], Any]
"""Makes an estimator that stops after the given number of passes or iterations."""


def makers(case: Case) -> dict[str, dict[str, Maker]]:
    """Return, for each estimator, the settings to try."""
    one = {"loss": "log_loss", "tol": None, "random_state": case.seed}
    return {
        "sklearn SGDClassifier": {
            "the case's learning rate, constant": lambda n: SGDClassifier(
                **one, max_iter=n, alpha=0.0,
                learning_rate="constant", eta0=case.learning_rate,
            ),
            "scikit-learn's defaults": lambda n: SGDClassifier(**one, max_iter=n),
        },
        "sklearn LogisticRegression": {
            "lbfgs, no penalty": lambda n: LogisticRegression(
                C=np.inf, max_iter=n, tol=1e-12
            )
        },
    }  # fmt: skip


class Fit:
    """An estimator's maker with the data to fit."""

    def __init__(self, make: Maker, data: Data) -> None:
        self.make, self.X, self.y = make, data.X.numpy(), data.y.numpy()

    def fitted(self, n: int) -> Any:
        """Fit with `n` passes or iterations."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return self.make(n).fit(self.X, self.y)

    def loss(self, n: int) -> float:
        """Return the mean cross-entropy of the data after `n` passes or iterations."""
        with np.errstate(all="ignore"):
            shares = self.fitted(n).predict_proba(self.X).astype(np.float64)
        return float(log_loss(self.y, shares / shares.sum(1, keepdims=True)))
