"""A file that needs no torch is measured by processes that never load it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_proof import needs_two

from crossover.record import run_folder

HERE = Path(__file__).parent
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
NUMPY = """
import sys
import numpy as np

def product(device, n=64):
    x = np.random.standard_normal((n, n))

    def step():
        if "torch" in sys.modules:
            raise RuntimeError("torch is loaded")
        return x @ x

    return step

def twice(device, n=64):
    once = product(device, n)
    return lambda: (once() + once()) / 2
"""
SMALL = ("--grid", "--rounds", "5")


def measured(crossover, tmp_path, text, *asked):
    """Measure a file; return the exit code, what was said, and the run."""
    file, out = tmp_path / "job.py", tmp_path / "run"
    file.write_text(text, encoding="utf-8")
    code, said, errors = crossover("run", file, *asked, *SMALL, "--out", out)
    return code, said + errors, run_folder.load(out)


@needs_two
def test_no_process_of_a_run_loads_torch(tmp_path):
    """Neither does the main one, of which a new process tells in the end."""
    (tmp_path / "job.py").write_text(NUMPY, encoding="utf-8")
    asked = ["run", "job.py", "n=8,256", *SMALL, "--out", "run"]
    who = ["cpu/product@1", "cpu/twice@1", "cpu/product@2"]
    for contender in who:
        asked += ["--contender", contender]
    code = (
        "import sys\nfrom crossover.cli import main\n"
        f"sys.argv = {['crossover', *asked]!r}\n"
        "try:\n    main()\nexcept SystemExit as end:\n"
        "    print('torch' in sys.modules, end.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    # exit code 3: beside other programs no answer can be trusted
    last = done.stdout.splitlines()[-1]
    assert last in ("False 0", "False 3"), done.stdout + done.stderr
    run = run_folder.load(tmp_path / "run")
    assert {m.notes for m in run.measurements if m.status != "ok"} == set()
    assert {m.verified for m in run.measurements} == {True}
    assert {m.threads for m in run.measurements if m.contender.threads == 1} == {1}
    assert {m.threads for m in run.measurements if m.contender.threads == 2} == {2}
    assert not run.user_file.loads_torch
    assert "torch" not in run.machine.threads
    assert run.machine.versions.keys() >= {"torch", "numpy"}  # by their metadata


LAZY = NUMPY.replace("def step", "import torch\n\n    def step").replace(
    '"torch" in', '"torch" not in'
)
INDIRECT = NUMPY.replace("import numpy", "import brings_torch\nimport numpy").replace(
    '"torch" in', '"torch" not in'
)


@pytest.mark.parametrize("text", [LAZY, INDIRECT], ids=["in a function", "by another"])
def test_a_file_that_loads_torch_after_all_has_it(crossover, undrawn, tmp_path, text):
    (tmp_path / "brings_torch.py").write_text("import torch", encoding="utf-8")
    who = "--contender", "cpu/product@1", "--contender", "cpu/twice@1"
    code, said, run = measured(crossover, tmp_path, text, "n=8,64", *who)
    assert code == 0, said
    assert run.user_file.loads_torch
    assert "torch" in run.machine.threads


OWN_THREADS = """
import hashlib
from concurrent.futures import ThreadPoolExecutor

def digests(device, n=1):
    block, pool = bytes(2**20), ThreadPoolExecutor(2)

    def step():  # while one thread hashes a block, the other one runs
        return sum(pool.map(lambda b: hashlib.sha256(b).digest()[0], [block] * 8))

    return step

def alone(device, n=1):
    block = bytes(2**20)
    return lambda: sum(hashlib.sha256(block).digest()[0] for _ in range(8))
"""


@needs_two
@pytest.mark.unix_way("nobody tells who waits for a core")
def test_a_library_with_more_threads_than_its_label_has_fails(
    crossover, undrawn, tmp_path
):
    who = "--contender", "cpu/alone@1", "--contender", "cpu/digests@1"
    code, _, run = measured(crossover, tmp_path, OWN_THREADS, "n=1,2", *who)
    assert code == 3
    rows = {m.contender.trainer: m for m in run.measurements}
    assert rows["alone"].status == "ok"
    assert rows["digests"].status == "failed"
    assert rows["digests"].notes.startswith("NotAsLabelled: the step used ")
    assert "cores; must be at most 1" in rows["digests"].notes


PROVE = """
import sys, numpy
from crossover.proof.label import NotAsLabelled, prove_threads
try:
    prove_threads(int(sys.argv[1]))
except NotAsLabelled as error:
    print(error)
assert "torch" not in sys.modules
"""


@needs_two
@pytest.mark.parametrize(
    ("set_to", "said"), [(2, ""), (1, "openblas has 1 thread; must have 2\n")]
)
def test_threads_of_numpys_products_are_proved(set_to, said):
    done = subprocess.run(
        [sys.executable, "-c", PROVE, "2"],
        env={**os.environ, "OPENBLAS_NUM_THREADS": str(set_to)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == said


def test_the_example_of_the_docs_is_measured(crossover, undrawn, tmp_path):
    text = (HERE.parent / "docs/workloads.md").read_text(encoding="utf-8")
    _, block = EXAMPLE.findall(text)
    who = "--contender", "cpu/product@1", "--contender", "cpu/fft@1"
    code, said, run = measured(crossover, tmp_path, block, "n=4,64", *who)
    assert code == 0, said
    assert not run.user_file.loads_torch
    assert {m.verified for m in run.measurements} == {True}


@pytest.mark.parametrize(
    ("name", "sizes", "who", "needs"),
    [
        ("numpy_fft", "n=4,64", ("product", "fft"), "numpy"),
        ("sklearn_kmeans", "samples=64,256", ("lloyd", "elkan"), "sklearn"),
        ("jax_step", "hidden=4,16", ("eager", "compiled"), "jax"),
    ],
)
def test_an_example_without_torch_is_measured(
    crossover, undrawn, tmp_path, name, sizes, who, needs
):
    pytest.importorskip(needs, reason=f"{needs} is not here: make peers has it")
    file, out = HERE.parent / "examples" / f"{name}.py", tmp_path / "run"
    asked = [word for one in who for word in ("--contender", f"cpu/{one}@1")]
    code, said, errors = crossover("run", file, sizes, *asked, *SMALL, "--out", out)
    assert code == 0, errors
    assert "nverified" not in said
    run = run_folder.load(out)
    assert not run.user_file.loads_torch
    assert {m.verified for m in run.measurements} == {True}
