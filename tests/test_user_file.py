"""A user's own file as a workload: what it declares, and what it is refused for."""

import sys
import textwrap

import pytest

from crossover.command.ask import Ask, parse_words
from crossover.command.sweeps import ladder, sweeps
from crossover.files.untrusted import InputError
from crossover.nouns import UserFile
from crossover.proof.agreement import agree
from crossover.workloads.softmax import SOFTMAX
from crossover.workloads.user_file import declare, implementations, load
from crossover.workloads.values import Setting, Size
from crossover.workloads.workload import Implementation, Workload

FILE = """
import torch

WIDE = 256

def helper(x):
    return x

def _hidden(device, hidden=1):
    return lambda: None

def train(device, hidden=WIDE, batch=32, rate=0.1, dtype="float32", nested=False,
          seed=0):
    def step():
        return 1.0
    return step

def compiled(device, hidden=WIDE, batch=32, rate=0.1, dtype="float32", nested=False,
             seed=0):
    return train(device, hidden)

def data(hidden):
    return torch.ones(hidden)

def synchronize(device):
    pass
"""


@pytest.fixture
def written(tmp_path):
    def write(text, name="job.py"):
        (tmp_path / name).write_text(textwrap.dedent(text))
        return name, str(tmp_path)

    return write


def test_arguments_are_sizes_and_settings_and_functions_are_implementations(written):
    job = declare(*written(FILE))
    assert job.declared == Workload(
        name="job.py",
        sizes=(
            Size("hidden", 256),
            Size("batch", 32),
            Size("seed", 0, least=0),
            Size("steps", 1000, words="number of steps", one="step", many="steps",
                 repeats=True),
        ),
        settings=(
            Setting("rate", 0.1),
            Setting("dtype", "float32"),
            Setting("nested", False),
        ),
        implementations=(Implementation("train"), Implementation("compiled")),
        check=0.01,
    )  # fmt: skip
    assert job.file == UserFile("job.py", job.file.sha256, job.file.path)
    assert len(job.file.sha256) == 64


def test_an_id_holds_sizes_and_what_is_off_its_default_and_is_read_back(written):
    workload = declare(*written(FILE)).declared
    usual = workload.case(hidden=64)
    assert usual.id == "hidden=64,batch=32,seed=0"
    odd = workload.case(hidden=64, steps=10, rate=1e-05, dtype="bfloat16", nested=True)
    assert odd.id == (
        "hidden=64,batch=32,seed=0,steps=10,rate=1e-05,dtype=bfloat16,nested=true"
    )
    assert workload.parse_case(usual.id) == usual
    assert workload.parse_case(odd.id) == odd


def test_all_says_which_functions_are_meant(written):
    only = declare(*written(FILE + '\n__all__ = ["compiled"]\n'))
    assert [one.name for one in only.declared.implementations] == ["compiled"]


def test_a_module_and_its_function_are_a_job(written):
    _, folder = written(FILE, "somewhere.py")
    job = declare("somewhere:compiled", folder)
    assert job.declared.name == "somewhere:compiled"
    assert [one.name for one in job.declared.implementations] == ["compiled"]


@pytest.mark.parametrize("name", ["alone", "whole.part", "only"])
def test_a_process_that_did_not_look_for_a_module_loads_it_by_its_file(
    tmp_path, monkeypatch, name
):
    file = tmp_path / f"{name.replace('.', '/')}.py"
    if name == "only":
        file = tmp_path / "only" / "__init__.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(textwrap.dedent(FILE))
    monkeypatch.setattr("sys.path", [*sys.path])
    module, found = load(f"{name}:train", str(file))
    assert [*implementations(module, "train")] == ["train"]
    assert found.path == str(file)


REFUSED = {
    "def train(device, hidden):\n    pass":
        "job.py:1: argument hidden of train: must have a default, such as hidden=32",
    "def train(device, hidden=None):\n    pass":
        "job.py:1: argument hidden of train: hidden=None: must be an integer",
    "\n\ndef train(device, axis=1):\n    pass":
        "job.py:3: argument axis of train: must not have the name of a column",
    "def train(device, data, n=1):\n    pass": "job.py:1: train takes data: must have",
    "def data(n): pass\ndef train(device, n=1, data=2):\n    pass":
        "job.py:2: argument data of train: must be the second, without a default",
    "def train(device, steps=1):\n    pass":
        "job.py:1: argument steps of train: must have another name; steps=N says",
    "def train(device, *sizes):\n    pass":
        "job.py:1: argument sizes of train: must be one that is given by its name",
    "def best(device, n=1):\n    pass":
        "job.py:1: function best: must be small letters, digits",
    "def a(device, n=1): pass\ndef b(device, n=2): pass":
        "job.py:2: b has n=2; must have those of a: n=1",
    "def train(hidden=1):\n    pass":
        "job.py: has no public function whose first parameter is device",
    "def train(device, n=1) pass": "job.py:1: expected ':'",
    "import no_such_module": "job.py:1: ModuleNotFoundError: No module named",
    "\nraise ValueError('at\\nonce')": "job.py:2: ValueError: at",
    "import sys\nsys.exit(3)": "job.py:2: leaves by SystemExit as it is loaded",
    "check = 'much'\ndef train(device, n=1): pass":
        "job.py: check = 'much': must be a number > 0, or None",
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), REFUSED.items())
def test_a_file_that_is_no_job_is_refused_in_a_line(written, text, said):
    with pytest.raises(InputError) as refused:
        declare(*written(text))
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("absent.py", "absent.py: No such file or directory"),
        ("absent_module:train", "absent_module:train: no module 'absent_module' in"),
    ],
)
def test_a_file_that_is_not_there_is_refused_in_a_line(tmp_path, target, said):
    with pytest.raises(InputError) as refused:
        declare(target, str(tmp_path))
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("words", "job", "given"),
    [
        ([], None, {}),
        (["mlp.py", "hidden=64..4096"], "mlp.py", {"hidden": "64..4096"}),
        (["batch_size=8,64", "quick.toml"], "quick.toml", {"batch_size": "8,64"}),
        (["./a=b.py"], "./a=b.py", {}),
    ],
)
def test_words_name_the_job_and_its_values(words, job, given):
    assert parse_words(words) == (job, given)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.py", "b.py"], "'b.py': must be NAME=VALUE, as the job is 'a.py'"),
        (["n=1", "n=2"], "n = '2': must be given once"),
        (["n="], "n = '': must have a value, such as 64..4096"),
    ],
)
def test_words_that_contradict_are_refused(words, said):
    with pytest.raises(InputError, match="must") as refused:
        parse_words(words)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("low", "high", "sizes"),
    [
        (64, 4096, [64, 256, 1024, 4096]),
        (1, 3, [1, 2, 3]),
        (100, 101, [100, 101]),
        (3, 700, [3, 12, 48, 192, 700]),
    ],
)
def test_a_range_begins_with_round_sizes_about_a_factor_of_four_apart(low, high, sizes):
    assert ladder(low, high) == sizes


def test_a_range_is_the_axis_and_lists_are_groups():
    texts = {"batch_size": "64..1024", "samples": "2048,4096", "dtype": "float64"}
    made = sweeps(SOFTMAX, [], texts, False)
    assert made == [
        {
            "axis": "batch_size", "values": [64, 256, 1024], "closed": True,
            "samples": samples, "dtype": "float64",
        }
        for samples in (2048, 4096)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            {"batch_size": "1..8", "samples": "1..8"},
            "batch_size=1..8 and samples=1..8: must be one range, which is the axis",
        ),
        ({"samples": "64..8"}, "samples = '64..8': must be A..B with 1 <= A <= B"),
        ({"samples": "8..x"}, "samples = '8..x': must be integers >= 1"),
        ({"sample": "8"}, "sample = '8': workload softmax has no such size or setting"),
        ({"dtype": "int8"}, "dtype = 'int8': must be float32 or float64"),
        ({"momentum": "x"}, "momentum = 'x': must be like 0.0"),
    ],
)
def test_values_that_cannot_be_are_refused(texts, said):
    with pytest.raises(InputError) as refused:
        sweeps(SOFTMAX, [], texts, False)
    assert str(refused.value).startswith(said)


def test_softmax_is_meant_without_a_job_and_a_range_is_closed():
    spec = Ask(sizes=(("batch_size", "64..1024"), ("samples", "4096"))).spec()
    (sweep,) = spec.sweep
    assert (sweep.axis, sweep.values, sweep.closed) == (
        "batch_size", (64, 256, 1024), True,
    )  # fmt: skip


def test_results_are_compared_with_those_of_the_first(tmp_path):
    import numpy as np

    kept, first = tmp_path / "kept.npz", [np.array([1.0, -2.0]), np.array([3.0])]
    assert agree(first, "cpu/train@1", 0.01, kept) == ""
    near = [np.array([1.02, -2.0]), np.array([3.0])]
    assert agree(near, "cuda/train", 0.01, kept) == ""
    off = [np.array([1.2, -2.0]), np.array([3.0])]
    assert agree(off, "cuda/train", 0.01, kept) == (
        "the result after 3 steps differs from that of cpu/train@1 by 0.067 of the "
        "largest, more than 0.01: must be the same work (draw weights and data on the "
        "CPU, then move them)"
    )
    for wrong in ([np.array([1.0])], [], [np.array([np.nan, -2.0]), np.array([3.0])]):
        assert agree(wrong, "cuda/train", 0.01, kept) != ""


WRAPPED = """
import functools
import torch

def without_gradients(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        with torch.no_grad():
            return function(*args, **kwargs)
    return inner

def data(**sizes):
    return [torch.full((sizes["n"],), 2.0)]

@without_gradients
def train(device, data, n=8):
    return lambda: data[0].sum()
"""


def test_a_decorated_function_gets_its_data_moved(written):
    job = declare(*written(WRAPPED))
    session = job.session(job.declared.case(n=4), "train", "cpu", 1, 1)
    session.move()
    session.build()
    session.run(3)
    assert session.has_data
    assert [array.tolist() for array in session.result()] == [[8.0]]
