"""Generated specs, whole and broken in one known field, as TOML."""

import json
import math

NAN, INF = math.nan, math.inf
HUGE = (10**12, 10**30, 10**400, -(10**18))
WRONG = ("8", 1.5, True, [1], {"a": 1})
REALS = ("1.5", True, NAN, INF, -INF, 1e300, 10**400, [0.5])
CONTENDERS = (
    "cpu", "cpu/lesson", "cpu/manual@1", "cpu/resident@1", "cpu/resident@all",
    "cpu/fused@1", "accelerator/resident", "accelerator", "cuda:0/resident",
)  # fmt: skip
UNREADABLE = ("", "CPU", "cpu/", "cpu@x", "cpu/nope", "cpu/resident@0", "\u0663cpu",
              "cpu\n", "cpu/fused@" + "9" * 5000, "cuda/fused")  # fmt: skip

SIZE = (0, -1, *WRONG, *HUGE)
BROKEN = {
    "name": ("", "../up", "/root", "a\x00b", "x" * 81, "a/b", "\x1b[2J", 5, [1]),
    "contenders": ([], "cpu", [5], [True], ["x" * 201], 7),
    "pairs": ([], [["cpu"]], [["cpu", "cpu/lesson", "cpu"]], [["cpu", 3]], "cpu", 1),
    "sweep": ([], 5, "x", [3]),
    "rounds": (1, 0, 1001, *WRONG, *HUGE),
    "grid": (1, "true", 0.0, []),
    "control": (1, "true", 0.0, []),
    "width": (1, 1.0, 0.5, -2.0, *REALS),
    "seed": (-1, 2**63, *WRONG, 10**400),
    "budget_s": (0, -1.0, *REALS),
    "cell_timeout_s": (0, -1.0, *REALS),
    "longest_sample_s": (0.0, -1, *REALS),
    "confidence": (0.5, 1, 1.0, 0, *REALS),
    "margin": (-0.01, 1.0, 2, *REALS),
    "resolution": (-0.01, 1, *REALS),
    "prices": ({"cpu": 0}, {"cpu": -1.0}, {"CPU": 1.0}, {"cpu": NAN}, {"cpu": "1"},
               {"cpu/lesson": 1.0}, {"cuda:x": 1}, [1], 3, {"": 1.0}),
}  # fmt: skip
SWEEP = {
    "axis": ("sample", "", 3, "classes", ["samples"]),
    "values": ([], [0], [-1], [1.5], ["9"], [True], [10**12], [10**400], 7, "8",
               list(range(10, 1011))),
    "samples": SIZE,
    "features": SIZE,
    "classes": (1, *SIZE),
    "batch_size": SIZE,
    "epochs": SIZE,
    "learning_rate": (0, 0.0, -0.1, 1e-300, *REALS),
    "momentum": (-0.1, 1, 1.0, *REALS),
    "dispersion": ([1.0], [1.0, 2.0, 3.0], [1.0, 0.0], [1.0, -1], [NAN, 1.0],
                   [1.0, INF], [10**400, 1.0], "x", 5, ["1", "2"]),
    "dtype": ("float16", "", 32, "Float32"),
    "seed": (-1, 2**63, *WRONG, 10**400),
}  # fmt: skip


def good(rng):
    """Return a spec that must plan, as nested dicts."""
    names = rng.sample(CONTENDERS, rng.randint(2, 4))
    spec = {
        "contenders": names,
        "pairs": [rng.sample(names, 2) for _ in range(rng.randint(1, 3))],
        "sweep": [_sweep(rng) for _ in range(rng.randint(1, 3))],
    }
    choices = {
        "name": ["a", "größe 2", "x.y-z_1+", "n" * 80],
        "rounds": [2, 8, 32, 1000],
        "grid": [True, False],
        "control": [True, False],
        "width": [1.01, 2, 1e6],
        "seed": [0, 7, 2**63 - 1],
        "budget_s": [0.5, 60, 1e9],
        "cell_timeout_s": [1, 0.25],
        "longest_sample_s": [2.0, 1e-3],
        "confidence": [0.51, 0.95, 0.9999],
        "margin": [0, 0.02, 0.99],
        "resolution": [0.0, 0.5],
        "prices": [{}, {"cpu": 1, "cuda": 2.5}, {"cuda:0": 1e-3}],
    }
    for name, values in choices.items():
        if rng.random() < 0.3:
            spec[name] = rng.choice(values)
    return spec


def _sweep(rng):
    axis = rng.choice(["samples", "batch_size", "epochs"])
    sizes = [100, 101, 1500, 4096, 10**6, 10**12 - 1]
    sweep = {"axis": axis, "values": rng.sample(sizes, rng.randint(1, 5))}
    choices = {
        "samples": sizes,
        "batch_size": [1, 10, 10**9],
        "epochs": [1, 3, 10**6],
        "features": [1, 784, 10**9],
        "classes": [2, 10, 100],
        "learning_rate": [1, 0.03, 1e-9],
        "momentum": [0, 0.9],
        "dispersion": [[6.0, 2.0], [0, 1], [-1e9, 1e-9]],
        "dtype": ["float32", "float64"],
        "seed": [0, 2**63 - 1],
    }
    for name, values in choices.items():
        if rng.random() < 0.3:
            sweep[name] = rng.choice(values)
    if rng.random() < 0.2:
        sweep["contenders"] = rng.sample(CONTENDERS, 2)
    if rng.random() < 0.2:
        sweep["pairs"] = [["cpu/manual@1", "cpu/best"]]
    return sweep


def broken(rng):
    """Return a spec with one thing wrong, and the words that must name it."""
    spec = good(rng)
    sweep = rng.choice(spec["sweep"])
    kind = rng.choice(["value", "value", "value", "of sweep", "of sweep", "of sweep",
                       "contender", "unknown", "missing", "few", "same"])  # fmt: skip
    if kind == "value":
        name = rng.choice(list(BROKEN))
        spec[name] = rng.choice(BROKEN[name])
        return spec, name
    if kind == "of sweep":
        name = rng.choice([n for n in SWEEP if n != sweep["axis"]])
        sweep[name] = rng.choice(SWEEP[name])
        return spec, name
    if kind == "contender":
        text = rng.choice(UNREADABLE)
        holder = rng.choice([spec, sweep])
        if rng.random() < 0.5:
            holder["contenders"] = ["cpu/lesson", text]
        else:
            holder["pairs"] = [["cpu/lesson", text]]
        return spec, ("contender", "pairs")
    if kind == "unknown":
        holder = rng.choice([spec, sweep])
        name = rng.choice(["sampels", "widht", "threads", "__class__", "a b", "run_id"])
        holder[name] = 1
        return spec, name
    if kind == "missing":
        holder, name = rng.choice(
            [(spec, "contenders"), (spec, "pairs"), (spec, "sweep"), (sweep, "axis"),
             (sweep, "values")]
        )  # fmt: skip
        del holder[name]
        return spec, name
    return _broken_together(spec, sweep, kind)


def _broken_together(spec, sweep, kind):
    if kind == "few":
        sweep.update(axis="epochs", values=[1], samples=5, classes=6)
        return spec, "samples"
    spec["pairs"] = [["cpu/lesson", "cpu/lesson"]]
    return spec, "pairs"


def toml(spec):
    """Write a spec as TOML, its sweeps last."""
    sweeps = spec.get("sweep", [])
    tables = isinstance(sweeps, list) and all(isinstance(s, dict) for s in sweeps)
    plain = {k: v for k, v in spec.items() if k != "sweep" or not (tables and sweeps)}
    lines = _pairs(plain)
    for sweep in sweeps if tables else ():
        lines += ["", "[[sweep]]", *_pairs(sweep)]
    return "\n".join(lines) + "\n"


def _pairs(table):
    return [f"{json.dumps(key)} = {_value(value)}" for key, value in table.items()]


def _value(value):
    if isinstance(value, dict):
        return "{" + ", ".join(_pairs(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value)
