"""Each bug of a list, put into a copy of the packages, turns its test red."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from simulated_accelerator.mutations import MUTATIONS

ROOT = Path(__file__).parent.parent


def copy_to(root):
    kept_out = shutil.ignore_patterns("__pycache__")
    for name in ("crossover", "softmax_core", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=kept_out)
    shutil.copy(ROOT / "pyproject.toml", root)


def outcome_of(root, *tests):
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "-m",
            "not simulation",
            *tests,
        ],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.mutations
def test_all_pass_without_a_bug(tmp_path, simulated_environment):
    copy_to(tmp_path)
    done = outcome_of(tmp_path, *dict.fromkeys(m.test for m in MUTATIONS))
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.mutations
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.name.replace(" ", "-"))
def test_a_bug_is_caught(tmp_path, mutation, simulated_environment):
    copy_to(tmp_path)
    mutation.apply(tmp_path)
    done = outcome_of(tmp_path, mutation.test)
    assert done.returncode == 1, done.stdout
    assert "1 failed" in done.stdout


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.name.replace(" ", "-"))
def test_the_code_that_a_bug_changes_is_still_there(tmp_path, mutation):
    (tmp_path / mutation.file).parent.mkdir(parents=True)
    shutil.copy(ROOT / mutation.file, tmp_path / mutation.file)
    mutation.apply(tmp_path)
