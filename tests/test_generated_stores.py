"""Stores of every mix of shapes, with known crossings: right, or refused."""

import itertools
import json
import math
import random

import foreign_files as files
import pytest

from crossover.sources.foreign.answers import answers
from crossover.sources.foreign.asv_store import read_store
from crossover.sources.foreign.pytest_files import held, rows_of
from crossover.sources.foreign.question import HeldAsk

FACTORS = (0.5, 1.0, 2.0)
OTHERS = {
    "dtype": ["'f4'", "'f8'"],
    "k": ["1", "2", "3"],
    "order": ["'C'", "'F'"],
    "kernel": ["<function rbf at 0x7f>", "<function poly at 0x7f>"],
}
GONE = (None, math.nan, "x", -1.0)
FEW, MANY = 60, 2000


def times(rng, who, n, factor):
    """Return six times of a contender; they cross at `factor` times the truth."""
    time = 2e-8 * n if who == "cpu" else 0.5e-3 * factor + 2e-9 * n
    return [time * (1 + rng.uniform(-0.003, 0.003)) for _ in range(6)]


def factor_of(key):
    """Return by how much a group's crossing differs, from its texts alone."""
    return FACTORS[sum(map(ord, "".join(key))) % 3]


def benchmark(rng, where, names, spelled, lacking):
    """Return one benchmark's result, params and samples, for each combination."""
    params = [spelled[name] for name in names]
    results, samples = [], []
    for texts in itertools.product(*params):
        of = dict(zip(names, texts, strict=True))
        group = [text for name, text in of.items() if name not in ("n", "on", "device")]
        who = of.get("device", where["device"]).strip("'")
        kept = times(
            rng, who, int(of["n"].strip("'")), factor_of([*where["key"], *group])
        )
        if rng.random() < lacking:
            results.append(rng.choice(GONE))
            samples.append(None)
            continue
        results.append(sorted(kept)[3])
        samples.append(kept)
    return results, params, samples


def store(rng, folder):
    """Write a store of random shape; return the contender's column and the store's."""
    version, contender = rng.choice((1, 2)), rng.choice(("device", "function", "suite"))
    quote = rng.choice(("{}", "'{}'"))
    names = ["n", *rng.sample([*OTHERS], rng.randrange(3))]
    names += ["device"] if contender == "device" else []
    rng.shuffle(names)
    spelled = OTHERS | {"n": [quote.format(n) for n in files.SIZES],
                        "device": ["'gpu'", "'cpu'"]}  # fmt: skip
    machines, commits = rng.choice((["box"], ["box", "hpc"])), ["aaaaaaaa", "bbbbbbbb"]
    lacking = rng.choice((0.0, 0.05))
    described = {"version": 2}
    for machine, commit in itertools.product(machines, commits[: rng.choice((1, 2))]):
        key = [*([machine] if len(machines) > 1 else []), commit]
        results = {}
        for who in ("cpu", "gpu"):
            name = {"device": "m.Suite.time_it", "function": f"m.Suite.time_{who}",
                    "suite": f"m.{who.title()}Suite.time_it"}[contender]  # fmt: skip
            described[name] = {"param_names": names, "type": "time", "unit": "seconds"}
            where = {"device": who, "key": key}
            results.setdefault(name, benchmark(rng, where, names, spelled, lacking))
        write(folder, version, machine, commit, results)
    (folder / "benchmarks.json").write_text(json.dumps(described))
    return contender, key


def write(folder, version, machine, commit, results):
    columns = ("result", "params", "samples")
    fields = {"version": version, "commit_hash": commit * 5, "date": 1, "python": "3",
              "params": {"machine": machine}, "result_columns": columns}  # fmt: skip
    fields["results"] = (
        {name: dict(zip(columns, v, strict=True)) for name, v in results.items()}
        if version == 1
        else results
    )
    (folder / machine).mkdir(parents=True, exist_ok=True)
    (folder / machine / f"{commit}-py3.json").write_text(json.dumps(fields))


def spelled_group(ask, group, key):
    """Return the texts that a group's factor was made of, in the file's spelling."""
    known = dict(zip(ask.by, group, strict=True))
    where = [known.get("commit", key[-1])]
    where += [known["machine"]] if len(key) > 1 else []
    typed = {plain_of(text): text for texts in OTHERS.values() for text in texts}
    return [*where, *(typed[v] for name, v in known.items() if name in OTHERS)]


def plain_of(text):
    return text.strip("'").replace("<function ", "").replace(" at 0x7f>", "")


def check(rng, folder):
    contender, key = store(rng, folder)
    ask_of = HeldAsk("n", "device" if contender == "device" else "benchmark")
    found = files.flat(answers(read_store([str(folder)], "crossover report"), ask_of))
    for ask, row in found:
        assert "cpu" in ask.baseline.casefold()
        expected = files.TRUTH * factor_of(spelled_group(ask, row.group, key))
        if row.answer.outcome == "found":
            low, high = row.answer.parity_low, row.answer.parity_high
            assert low is not None or high is not None
            assert (low or 0) * 0.97 < expected < (high or math.inf) * 1.03
            assert row.answer.parity == pytest.approx(expected, rel=0.5)
    return len(found)


@pytest.mark.parametrize("seed", range(FEW))
def test_a_store_of_any_shape_is_answered_right(tmp_path, seed):
    assert check(random.Random(seed), tmp_path) > 0


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(FEW, MANY))
def test_many_stores_of_any_shape_are_answered_right(tmp_path, seed):
    assert check(random.Random(seed), tmp_path) > 0


@pytest.mark.parametrize("seed", range(20))
def test_what_is_missing_of_a_file_is_never_made_up(seed):
    rng = random.Random(seed)
    fields = json.loads(files.pytest_json(rng.choice(("3.0", "5.1"))))
    for record in rng.sample(fields["benchmarks"], rng.randrange(1, 4)):
        record["stats"] = rng.choice((None, {}, {"data": []}, {"median": "x"}))
    names = dict.fromkeys(k for row in rows_of(fields, "f") for k in row.keys)
    axis, contender = ("n", "device") if "n" in names else ("param2", "param1")
    found = held(rows_of(fields, "f"), "f", "crossover report")
    answered = answers(found, HeldAsk(axis, contender))
    ((_, row),) = files.flat(answered)
    assert answered.left_out
    if row.answer.parity is not None:
        assert row.answer.parity == pytest.approx(files.TRUTH, rel=0.35)
