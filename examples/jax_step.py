"""From how wide a network on does compiling its step by JAX pay?

`crossover run examples/jax_step.py hidden=8..512 --contender cpu/eager@1 \
 --contender cpu/compiled@1`

One step of gradient descent of a small network, written in JAX: `eager` dispatches one
operation after the other, `compiled` has XLA compile all of them at once. JAX works on
after a call returns, so the file has a `synchronize`. Nothing here needs torch, and
none is loaded. JAX is installed beside crossover by `pip install jax`.
"""

import os

# XLA has threads of its own, which only this limits, and only before it is loaded.
IS_ALONE = os.environ.get("OMP_NUM_THREADS") == "1"
if IS_ALONE:
    os.environ["XLA_FLAGS"] = (
        "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    )

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

if IS_ALONE:  # or one thread would dispatch while another one works
    jax.config.update("jax_cpu_enable_async_dispatch", False)


def synchronize(device):
    """Wait for all that was dispatched: effects and the arrays that are left."""
    jax.block_until_ready([a for a in jax.live_arrays() if not a.is_deleted()])


def loss_of(weights, x, y):
    """The mean squared error of a network of one hidden layer."""
    first, second = weights
    return jnp.mean((jnp.tanh(x @ first) @ second - y) ** 2)


def updated(weights, x, y):
    """One step: the loss before it, and the weights after it."""
    loss, slopes = jax.value_and_grad(loss_of)(weights, x, y)
    return loss, [w - 0.01 * slope for w, slope in zip(weights, slopes, strict=True)]


def _job(device, hidden, batch, update):
    """A network drawn by NumPy, the same for every contender, and its step."""
    there = jax.devices(device.partition(":")[0])[0]
    draw = np.random.standard_normal
    x, y = draw((batch, 64)), draw((batch, 1))
    sizes = draw((64, hidden)) / 8, draw((hidden, 1)) / np.sqrt(hidden)
    x, y, *weights = (jax.device_put(np.float32(a), there) for a in (x, y, *sizes))

    def step():
        nonlocal weights
        loss, weights = update(weights, x, y)
        return loss

    return step


def eager(device, hidden=64, batch=32):
    """Operation by operation."""
    return _job(device, hidden, batch, updated)


def compiled(device, hidden=64, batch=32):
    """All operations at once; compiling is set-up."""
    return _job(device, hidden, batch, jax.jit(updated))
