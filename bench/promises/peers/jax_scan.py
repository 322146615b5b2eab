"""JAX as a trainer: jit and lax.scan, all epochs in one call, weights donated.

`contenders` measures it; its interface is `softmax_core.training.Trainer`.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch import Tensor

from bench.promises.peers.jax_parts import Way, epoch, shuffled
from softmax_core.case import Case
from softmax_core.data import Data, initial_weights
from softmax_core.training import Session, Setup, Trainer

ORDERS = 4_000_000
"""Most indices of permutations that NumPy draws for one call."""


class JaxTrainer(Trainer):
    """A trainer on JAX's CPU; float32 only, as JAX is without x64.

    `host` has NumPy draw the permutations, which is far faster than XLA's sort, and
    hands them to the program; otherwise it shuffles by itself.
    """

    name, only_on = "jax", "cpu"

    def __init__(self, way: Way | None = None, host: bool = False) -> None:
        self.way, self.host = way or Way(), host

    def start(self, case: Case, data: Data, setup: Setup) -> "JaxSession":
        """See `Trainer`; `threads` are what XLA was started with.

        Raises:
            ValueError: for a dtype other than float32.
        """
        if case.dtype != "float32":
            raise ValueError(f"dtype = {case.dtype!r}: trainer jax must have float32")
        return JaxSession(case, data, replace(setup, threads=None), self.way, self.host)


class JaxSession(Session):
    """Data in JAX's arrays, laid out as the way asks; programs compile when called."""

    def build(self, data: Data, way: Way, host: bool) -> None:
        """Lay the data out and write the programs."""
        case, self.host, self.notes = self.case, host, str(way)
        self._is_given = self.setup.drawn_on is not None
        X = data.X.cpu().numpy()
        self._X = jnp.asarray(X if way.layout == "rows" else np.ascontiguousarray(X.T))
        self._y = jnp.asarray(data.y.cpu().numpy().astype(np.int32))
        self._initial = np.vstack([t.numpy() for t in initial_weights(case)])
        run = epoch(case, way)

        def drawing(carry: Any, key: Any, X: Any, y: Any, epochs: Any) -> Any:
            def body(_: Any, state: Any) -> Any:
                carry, key = state
                key, own = jax.random.split(key)
                return run(carry, X, y, shuffled(way.shuffle, own, case.samples)), key

            return jax.lax.fori_loop(0, epochs, body, (carry, key))

        def following(carry: Any, X: Any, y: Any, orders: Any) -> Any:
            return jax.lax.scan(lambda c, o: (run(c, X, y, o), None), carry, orders)[0]

        self._drawing = jax.jit(drawing, donate_argnums=(0, 1))
        self._following = jax.jit(following, donate_argnums=0)

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""
        w = jnp.array(self._initial)
        self._carry = w, jnp.zeros_like(w) if self.case.momentum else ()
        self._key = jax.random.key(self.case.seed + 2)
        self._generator = np.random.default_rng(self.case.seed + 2)
        if self._is_given:
            self.order.restart()

    def train(self, epochs: int) -> None:
        """Train these epochs, on from the present weights."""
        if not self._is_given and not self.host:
            self._carry, self._key = self._drawing(
                self._carry, self._key, self._X, self._y, epochs
            )
            return
        most = max(1, ORDERS // self.case.samples)
        for start in range(0, epochs, most):
            orders = self._orders(min(most, epochs - start))
            self._carry = self._following(self._carry, self._X, self._y, orders)

    def _orders(self, epochs: int) -> Any:
        orders = np.empty((epochs, self.case.samples), np.int32)
        for row in orders:
            if not self._is_given:
                row[:] = self._generator.permutation(self.case.samples)
            else:
                row[:] = self.order.next_epoch().numpy()
        return orders

    def synchronize(self) -> None:
        """Wait until JAX has computed the weights."""
        jax.block_until_ready(self._carry)

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return CPU tensors W (features, classes) and b (classes,)."""
        w = torch.from_numpy(np.array(self._carry[0]))
        return w[:-1], w[-1]
