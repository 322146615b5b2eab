"""From how many numbers on is a fast Fourier transform ahead of a plain product?

`crossover run examples/numpy_fft.py n=4..1024 --contender cpu/product@1 \
 --contender cpu/fft@1`

Both transform the same rows: `product` multiplies them by the matrix of the transform,
n x n numbers, and `fft` takes n log n operations a row. A product is what processors
do best, so it is ahead for a while. Nothing here needs torch, and none is loaded.
"""

import numpy as np


def rows_of(n, rows):
    """The same numbers for both: NumPy is seeded before each function is called."""
    return np.random.standard_normal((rows, n))


def product(device, n=64, rows=256):
    """The transform as a product with its matrix, of complex numbers."""
    x = rows_of(n, rows).astype(complex)
    turns = np.outer(np.arange(n), np.arange(n)) % n
    matrix = np.exp(-2j * np.pi * turns / n)
    return lambda: x @ matrix


def fft(device, n=64, rows=256):
    """The fast transform, row by row."""
    x = rows_of(n, rows).astype(complex)
    return lambda: np.fft.fft(x)
