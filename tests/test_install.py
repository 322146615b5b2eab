"""Which build of torch `make install` takes, by what nvidia-smi says."""

import re
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

import install
from install import ask_driver, choose, command, extra_for, read_driver, with_torch

ROOT = Path(__file__).parent.parent
PINS = "sympy==1.14.0\ntorch==2.13.0\ntyper==0.29.2\n"
CPU = "https://download.pytorch.org/whl/cpu"
NO_GPU = install.NO_DRIVER
FAILED = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running.\n\n"
)


@pytest.mark.parametrize(
    ("code", "text", "major", "said"),
    [
        (0, "580.159.03\n", 580, "NVIDIA driver 580.159.03"),
        (0, "580.159.03\n580.159.03\n", 580, "NVIDIA driver 580.159.03"),
        (0, "  535.54  \r\n", 535, "NVIDIA driver 535.54"),
        (0, "1005.10.01\n", 1005, "NVIDIA driver 1005.10.01"),
        (9, FAILED, None, "nvidia-smi names no driver (NVIDIA-SMI has failed because"),
        (6, "No devices were found\n", None, "(No devices were found)"),
        (0, "[N/A]\n", None, "([N/A])"),
        (18, "Failed to initialize NVML: Driver/library version mismatch\n"
         "NVML library version: 580.95\n", None, "version mismatch)"),
        (12, "", None, "(exit code 12)"),
    ],
)  # fmt: skip
def test_the_driver_is_read(code, text, major, said):
    found = read_driver(code, text)
    assert found.major == major
    assert said in found.says


def test_a_forged_nvidia_smi_is_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_driver() == NO_GPU
    forged = tmp_path / "nvidia-smi"
    forged.write_text('#!/bin/sh\ntest "$1" = --query-gpu=driver_version && echo 570.1')
    forged.chmod(stat.S_IRWXU)
    assert ask_driver() == install.Driver(570, "NVIDIA driver 570.1")
    forged.write_text("#!/bin/sh\necho 'No devices were found' >&2; exit 6")
    assert ask_driver().major is None
    forged.write_bytes(b"\x00")
    assert "names no driver" in ask_driver().says


def driver(version):
    return read_driver(0, version)


@pytest.mark.parametrize(
    ("driver", "torch", "said"),
    [
        (NO_GPU, "", f"no NVIDIA driver: torch==2.13.0 .* smaller: TORCH_INDEX={CPU}"),
        (driver("580.65.06"), "", r"driver 580.65.06: torch==2.13.0, for CUDA 13"),
        (driver("610.1"), "", "for CUDA 13"),
        (driver("579.99"), "torch==2.10.0",
         r"579.99 is older than CUDA 13 needs \(580\): torch==2.10.0, for CUDA 12"),
        (driver("525.60.13"), "torch==2.10.0", "for CUDA 12"),
        (driver("524.99"), "", "too old for CUDA 12 .* only the CPU is measured"),
        (read_driver(9, FAILED), "", "names no driver .*torch==2.13.0 of the package"),
    ],
)  # fmt: skip
def test_pip_takes_the_build_that_the_driver_can_use(driver, torch, said):
    choice = choose(driver, False, "", PINS)
    assert (choice.tool, choice.options, choice.torch) == ("pip", (), torch)
    assert re.search(said, choice.says)


@pytest.mark.parametrize(
    ("driver", "torch"),
    [(NO_GPU, ""), (driver("580.1"), ""), (driver("535.1"), "torch<2.14")],
)
def test_uv_chooses_by_itself(driver, torch):
    """It is only let down to an older release where there is none for the driver."""
    choice = choose(driver, True, "", PINS)
    assert (choice.tool, choice.torch) == ("uv", torch)
    assert choice.options == ("--torch-backend=auto",)
    made = command(choice, Path("pins.txt"), ["--editable", "."])
    assert made[:4] == ["uv", "pip", "install", "--python"]
    quiet = ["--quiet", "--constraint", "pins.txt"]
    assert made[5:] == [*quiet, "--torch-backend=auto", "--editable", "."]


@pytest.mark.parametrize("has_uv", [False, True])
@pytest.mark.parametrize("driver", [NO_GPU, driver("535.1"), driver("580.1")])
def test_an_index_that_is_asked_for_is_taken(driver, has_uv):
    choice = choose(driver, has_uv, CPU, PINS)
    assert (choice.tool, choice.torch) == ("pip", "")
    assert choice.options == ("--extra-index-url", CPU)
    assert choice.says == f"torch==2.13.0 from {CPU}, as asked"


@pytest.mark.parametrize(
    ("pins", "torch"),
    [
        ("torch==2.13.0+cu126\n", ""),
        ("torch==2.10.0\n", ""),
        ("torch==2.11.0\n", "torch==2.10.0"),
        ("torch==3.0\n", "torch==2.10.0"),
        ("numpy==2.4.6\n", "torch==2.10.0"),
    ],
)
def test_only_a_pin_that_an_old_driver_cannot_use_is_replaced(pins, torch):
    assert choose(driver("535.1"), False, "", pins).torch == torch


def test_torchs_pin_is_replaced_and_no_other():
    assert with_torch("torch==2.10.0", PINS) == PINS.replace("2.13.0", "2.10.0")
    assert with_torch("torch<3", "numpy==2.4.6\n") == "numpy==2.4.6\ntorch<3\n"
    assert with_torch("torch<3", "torchvision==1.0\n").startswith("torchvision==1.0\n")


def test_without_a_gpu_pip_is_called_as_ever():
    constraints = (ROOT / "constraints.txt").read_text()
    choice = choose(NO_GPU, False, "", constraints)
    assert command(choice, Path("constraints.txt"), ["--editable", ".[dev]"])[1:] == [
        "-m", "pip", "install", "--quiet", "--constraint", "constraints.txt",
        "--editable", ".[dev]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cuda", "extra"),
    [("13.0", "cuda13"), ("12.8", "cuda12"), ("12", "cuda12"), ("11.8", ""),
     ("130.1", ""), (None, "")],
)  # fmt: skip
def test_the_extra_is_that_of_torchs_cuda(cuda, extra):
    assert extra_for(cuda) == extra
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    if extra:
        names = extras["optional-dependencies"][extra]
        assert [n for n in names if n.startswith("nvidia-ml-py")]
        assert [n for n in names if n.startswith(f"numba-cuda[cu{extra[4:]}]")]


def test_the_makefile_leaves_the_choice_to_it():
    makefile = (ROOT / "Makefile").read_text()
    stamp = makefile.partition("$(STAMP):")[2].partition("\n\n")[0]
    assert "install.py --constraints $(CONSTRAINTS)" in stamp
    assert "--torch-index '$(TORCH_INDEX)'" in stamp
    assert "pip install" not in stamp


@pytest.mark.parametrize(
    "target", re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
)
def test_every_target_can_be_made(target):
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
