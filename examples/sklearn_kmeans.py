"""From how many samples on does a second thread pay for a step of k-means?

`crossover run examples/sklearn_kmeans.py samples=256..65536 \
 --contender cpu/lloyd@1 --contender cpu/lloyd@2`

A step is one pass of scikit-learn's k-means over all samples, always from the same
centers, so that every step is the same work; `elkan` is its other algorithm, which
remembers distances. Nothing here needs torch, and none is loaded. scikit-learn is
installed beside crossover by `pip install scikit-learn`.
"""

import warnings

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

warnings.simplefilter("ignore", ConvergenceWarning)  # one pass is meant to be too few


def lloyd(device, samples=4096, clusters=16, features=16):
    """One pass of the plain algorithm."""
    return step_of("lloyd", samples, clusters, features)


def elkan(device, samples=4096, clusters=16, features=16):
    """One pass of the algorithm that remembers distances."""
    return step_of("elkan", samples, clusters, features)


def step_of(algorithm, samples, clusters, features):
    """The step: what it returns, the moved centers, is compared between contenders."""
    x = np.random.standard_normal((samples, features))
    start = x[:clusters].copy()

    def step():
        once = KMeans(clusters, init=start, n_init=1, max_iter=1, algorithm=algorithm)
        return once.fit(x).cluster_centers_

    return step
