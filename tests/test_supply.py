"""What comes from elsewhere: pins, licences, and no network at run time."""

import tomllib
from importlib import metadata
from pathlib import Path

import licences
import pytest

ROOT = Path(__file__).parent.parent
ROWS = {
    licences.canonical(name): (licence, needed)
    for name, licence, needed in (
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in licences.TABLE.read_text()
        .partition(licences.KERNELS)[0]
        .splitlines()
        if line.startswith("| ") and not line.startswith(("| package", "| ---"))
    )
}
SPEC = """
contenders = ["cpu/manual@1", "cpu/resident@1"]
pairs = [["cpu/manual@1", "cpu/resident@1"]]
rounds = 2
grid = true
control = false
longest_sample_s = 0.05
[[sweep]]
axis = "samples"
values = [20, 40]
"""


def requirements():
    """Return those of a plain installation and of `make install`, GPU or not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    named = (text for extra in ("dev", "cuda12", "cuda13") for text in extras[extra])
    return [*project["dependencies"], *named]


def test_every_requirement_is_pinned_exactly():
    from packaging.requirements import Requirement

    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(line.count("==") == 1 for line in pins)
    names = {licences.canonical(name) for name in licences.pinned()}
    assert len(names) == len(pins)
    asked = {licences.canonical(Requirement(text).name) for text in requirements()}
    assert asked - names == set()


@pytest.mark.parametrize("name", licences.pinned())
def test_the_licence_of_a_pinned_package_is_in_the_table(name):
    assert licences.canonical(name) in ROWS, "run docs/licences.py"
    licence, _ = ROWS[licences.canonical(name)]
    assert set(licences.parts(licence)) <= set(licences.ALLOWED)
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return
    assert licences.licence(name) == licence, "run docs/licences.py"


def test_what_a_plain_installation_brings_is_in_the_table():
    to_run = licences.needed_to_run()
    brought = {name for name in to_run if name in ROWS}
    assert {name for name in brought if ROWS[name][1] != "run"} == set()
    # with CUDA, torch brings packages of NVIDIA's: see the table's head
    others = {name for name in to_run - brought if not name.startswith("nvidia")}
    cuda = {"cuda-bindings", "cuda-pathfinder", "cuda-toolkit", "triton"}
    assert others - cuda - {"setuptools"} == set()


def test_what_tests_of_kernels_install_is_pinned_and_in_the_table():
    file = ROOT / "tests" / "gpu" / "requirements.txt"
    lines = [x for x in file.read_text().splitlines() if not x.startswith("#")]
    assert {line.partition("==")[0] for line in lines} == {*licences.FOR_KERNELS}
    assert all("==" in line for line in lines)
    # what is tested is what a GPU's owner installs
    assert {*lines} & {*(ROOT / "constraints.txt").read_text().splitlines()} == {
        line for line in lines if line.startswith("numba-cuda==")
    }
    table = licences.TABLE.read_text().partition(licences.KERNELS)[2]
    assert table.splitlines() == [
        f"| {name} | {text} | test kernels |"
        for name, text in licences.FOR_KERNELS.items()
    ]


def test_licences_that_ask_for_more_are_not_allowed():
    assert not [name for name in licences.ALLOWED if "GPL" in name]
    assert licences.parts("A AND (B OR C)") == ["A", "B", "C"]


@pytest.mark.parametrize(
    "call",
    [
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.getaddrinfo('localhost', 80)",
        "socket.socket().bind(('127.0.0.1', 0))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))",
    ],
)
def test_the_block_blocks(offline, tmp_path, call):
    done = offline(tmp_path, code=f"import socket; {call}")
    assert "no network here" in done.stderr
    assert (tmp_path / "network.log").read_text().count("\n") == 1


CSV = ROOT / "tests" / "fuzz" / "corpus" / "table" / "found"
OTHERS = (
    ("report", "out"),
    ("compare", "out", "out"),
    ("devices",),
    ("plan", "tiny.toml"),
    ("selftest", "--pairs", "1", "--sweeps", "0"),
    ("analyse", CSV, "--axis", "n", "--time", "seconds", "--contender", "who",
     "--round", "round", "--baseline", "cpu", "--challenger", "gpu"),
)  # fmt: skip


@pytest.mark.torture  # test_cli.py holds a run to it
def test_no_command_opens_a_network_connection(offline, tmp_path):
    (tmp_path / "tiny.toml").write_text(SPEC)
    for command in (("run", "tiny.toml", "--out", "out"), *OTHERS):
        done = offline(tmp_path, *command)
        # two runs of 2 rounds cannot be compared, which is said after they were read
        wanted = (2,) if command[0] == "compare" else (0, 1, 3)
        assert done.returncode in wanted, (command, done.stderr)
        assert "Traceback" not in done.stderr
    # the commands themselves, one worker for the machine, and two that measure
    started = (tmp_path / "network.log.started").read_text()
    assert started.count("\n") >= len(OTHERS) + 4
    assert not (tmp_path / "network.log").exists()
