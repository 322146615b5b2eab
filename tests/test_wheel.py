"""What is installed: our two packages and no more, whatever lies where one stands."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)

pytestmark = pytest.mark.slow


def python(*arguments, cwd, path=""):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd, env=os.environ | {"PYTHONPATH": str(path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy, so that no build folder is left here."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in ("crossover", "softmax_core", "bench", "pyproject.toml", "README.md"):
        (copy / name).symlink_to(ROOT / name)
    (copy / "LICENSE").symlink_to(ROOT / "LICENSE")
    done = python(
        "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", out, copy,
        cwd=copy,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture
def installed(wheel, tmp_path):
    target = tmp_path / "installed"
    done = python(
        "-m", "pip", "install", "--no-deps", "--target", target, wheel, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    return target


def test_the_wheel_holds_two_packages_with_their_data(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "crossover", "softmax_core",
    }  # fmt: skip
    shipped = {
        str(path.relative_to(ROOT))
        for package in ("crossover", "softmax_core")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped <= {*names}


def test_it_works_beside_folders_of_other_projects(installed, tmp_path):
    here = tmp_path / "here"
    for name in ("bench", "benchmarks"):
        (here / name).mkdir(parents=True)
        (here / name / "__init__.py").write_text("raise RuntimeError('a stranger')")
    (here / "results").symlink_to(ROOT / "results")
    where = python(
        "-c", "import crossover as c; print(c.__file__)", cwd=here, path=installed
    )
    assert Path(where.stdout.strip()).is_relative_to(installed)
    run = python(
        "-m", "crossover", "run", "--preset", "smoke", "--out", tmp_path / "run",
        cwd=here, path=installed,
    )  # fmt: skip
    assert run.returncode in (0, 3), run.stderr
    assert (tmp_path / "run/report.html").exists()
    for example in EXAMPLE.findall((ROOT / "README.md").read_text()):
        done = python("-c", example, cwd=here, path=installed)
        assert done.returncode == 0, done.stderr
