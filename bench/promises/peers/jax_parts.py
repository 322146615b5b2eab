"""The parts of a JAX program that trains: shuffles, gradients, epochs as scans.

A `Way` is one choice of each part; which is fastest depends on the case, so
`contenders` tries those that `ways` lists. Weights are (features + 1, classes); the
last row is the bias.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from softmax_core.case import Case

MOST_SUMS = 8
"""Most features whose scores are written as a sum: XLA fuses sums, not products."""


@dataclass(frozen=True)
class Way:
    """How the same steps are written.

    `layout`: "rows" (samples, features), "columns" (features, samples), or "sums", as
    columns with products written out. `gather`: the data of an "epoch" at once or of
    each "step". `shuffle`: "packed" or "permutation", JAX's own.
    """

    gradient: str = "closed"
    layout: str = "rows"
    gather: str = "epoch"
    shuffle: str = "packed"
    unroll: int = 1

    def __str__(self) -> str:
        return (
            f"{self.gradient} gradient, {self.layout}, gather per {self.gather}, "
            f"{self.shuffle} shuffle, unroll {self.unroll}"
        )


def ways(case: Case, every: bool = False) -> list[Way]:
    """List the ways to try: `every` one, or those that were fastest in some case."""
    few = case.features <= MOST_SUMS
    layouts = ("rows", "columns", "sums") if few else ("rows", "columns")
    if every:
        each = itertools.product(
            ("closed", "grad"), layouts, ("epoch", "step"),
            ("packed", "permutation"), (1, 4),
        )  # fmt: skip
        return [Way(*way) for way in each]
    pairs = [("rows", "step"), ("rows", "epoch"), ("columns", "epoch")]
    if few:
        pairs = [("sums", "epoch"), ("sums", "step"), ("columns", "epoch")]
    found = [Way("closed", *pair) for pair in pairs]
    return [*found, Way("grad", *pairs[0])]


def packed_rounds(samples: int) -> tuple[int, int]:
    """Return how many bits an index takes and how many sorts a packed shuffle needs.

    The other bits of 32 are the random key. With enough sorts, fewer than one pair of
    samples is expected to draw equal keys in all of them.
    """
    index = max(1, (samples - 1).bit_length())
    rounds = 1
    while samples * (samples - 1) / 2 >= 2 ** (rounds * (32 - index)):
        rounds += 1
    return index, rounds


def shuffled(kind: str, key: Any, samples: int) -> Any:
    """Return a permutation (samples,) int32.

    JAX's own permutation sorts pairs of a key and a value, twice from 1,626 samples on.
    XLA sorts single words faster: "packed" puts key and index into one word.
    """
    if kind == "permutation":
        return jax.random.permutation(key, samples)
    index, rounds = packed_rounds(samples)
    low = jnp.uint32((1 << index) - 1)
    at = jnp.arange(samples, dtype=jnp.uint32)
    order = at
    for number, each in enumerate(jax.random.split(key, rounds)):
        words = (jax.random.bits(each, (samples,)) & ~low) | at
        drawn = jnp.sort(words, stable=False) & low
        order = order[drawn] if number else drawn
    return order.astype(jnp.int32)


def _scores(layout: str, w: Any, x: Any) -> Any:
    """Return the scores: (batch, classes) in layout "rows", else (classes, batch)."""
    if layout == "rows":
        return x @ w[:-1] + w[-1]
    if layout == "columns":
        return w[:-1].T @ x + w[-1][:, None]
    return sum(w[d][:, None] * x[d] for d in range(x.shape[0])) + w[-1][:, None]


def _one_hot(layout: str, y: Any, like: Any) -> Any:
    axis = 1 if layout == "rows" else 0
    return jax.nn.one_hot(y, like.shape[axis], dtype=like.dtype, axis=axis)


def _closed(layout: str, w: Any, x: Any, y: Any) -> Any:
    """Return the gradient of the mean cross-entropy, written out."""
    axis = 1 if layout == "rows" else 0
    scores = _scores(layout, w, x)
    off = jax.nn.softmax(scores, axis=axis) - _one_hot(layout, y, scores)
    off /= y.shape[0]
    if layout == "rows":
        return jnp.concatenate([x.T @ off, off.sum(0, keepdims=True)])
    bias = off.sum(1)
    if layout == "columns":
        return jnp.concatenate([x @ off.T, bias[None]])
    return jnp.stack([*((off * x[d]).sum(1) for d in range(x.shape[0])), bias])


def _loss(layout: str, w: Any, x: Any, y: Any) -> Any:
    scores = _scores(layout, w, x)
    logs = jax.nn.log_softmax(scores, axis=1 if layout == "rows" else 0)
    return -(logs * _one_hot(layout, y, scores)).sum() / y.shape[0]


def stepper(case: Case, way: Way) -> Callable[..., Any]:
    """Return step((w, u), x, y) -> (w, u); u is the velocity, () without momentum."""

    def gradient(w: Any, x: Any, y: Any) -> Any:
        if way.gradient == "closed":
            return _closed(way.layout, w, x, y)
        return jax.grad(lambda w: _loss(way.layout, w, x, y))(w)

    def step(carry: Any, x: Any, y: Any) -> Any:
        w, u = carry
        g = gradient(w, x, y)
        if case.momentum:
            u = g = case.momentum * u + g
        return w - case.learning_rate * g, u

    return step


def epoch(case: Case, way: Way) -> Callable[..., Any]:
    """Return a function of carry, X, y and order: a scan, then the short last batch."""
    batch = min(case.batch_size, case.samples)
    count, step = case.samples // batch, stepper(case, way)

    def taken(X: Any, at: Any) -> Any:
        return X[at] if way.layout == "rows" else X[:, at]

    def stacked(x: Any) -> Any:
        if way.layout == "rows":
            return x.reshape(count, batch, -1)
        return x.reshape(-1, count, batch).transpose(1, 0, 2)

    def run(carry: Any, X: Any, y: Any, order: Any) -> Any:
        whole, rest = order[: count * batch], order[count * batch :]
        if way.gather == "epoch":
            xs: Any = stacked(taken(X, whole)), y[whole].reshape(count, batch)
        else:
            xs = whole.reshape(count, batch)

        def body(carry: Any, part: Any) -> Any:
            if way.gather == "epoch":
                return step(carry, *part), None
            return step(carry, taken(X, part), y[part]), None

        carry, _ = jax.lax.scan(body, carry, xs, unroll=way.unroll)
        return step(carry, taken(X, rest), y[rest]) if rest.shape[0] else carry

    return run
