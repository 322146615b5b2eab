"""Generated specs: a broken one is one line that names the field, a good one plans."""

import random
import subprocess
import sys

import pytest
from spec_cases import broken, good, toml

from crossover.cli import main

SHORT, WHOLE = 200, 2000


@pytest.fixture
def plan(tmp_path, monkeypatch, capsys):
    path = tmp_path / "spec.toml"

    def call(spec):
        path.write_text(toml(spec), encoding="utf-8")
        monkeypatch.setattr(sys, "argv", ["crossover", "plan", str(path)])
        with pytest.raises(SystemExit) as stopped:
            main()
        return (stopped.value.code or 0, *capsys.readouterr())

    return call


def check(plan, start, stop):
    for seed in range(start, stop):
        rng = random.Random(seed)
        if seed % 2:
            spec, names = broken(rng)
            code, said, error = plan(spec)
            assert (code, said) == (2, ""), (seed, names, toml(spec))
            assert error.startswith("crossover: "), (seed, error)
            assert error.count("\n") == 1, (seed, error)
            assert error.rstrip("\n").isprintable(), (seed, error)
            assert len(error) < 2100, (seed, len(error))
            wanted = (names,) if isinstance(names, str) else names
            assert any(name in error for name in wanted), (seed, names, error)
        else:
            spec = good(rng)
            code, said, error = plan(spec)
            assert code == 0, (seed, error, toml(spec))
            assert "cases, about" in said, seed


def test_generated_specs_are_refused_or_planned(plan):
    check(plan, 0, SHORT)


@pytest.mark.torture
@pytest.mark.parametrize("part", range(10))
def test_many_generated_specs_are_refused_or_planned(plan, part):
    share = WHOLE // 10
    check(plan, part * share, (part + 1) * share)


def through_the_command_line(tmp_path, seed):
    path = tmp_path / f"{seed}.toml"
    spec, names = (
        broken(random.Random(seed)) if seed % 2 else (good(random.Random(seed)), "")
    )
    path.write_text(toml(spec), encoding="utf-8")
    call = "from crossover.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", call, "plan", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if not seed % 2:
        assert done.returncode == 0, done.stderr
        return
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.count("\n") == 1
    wanted = (names,) if isinstance(names, str) else names
    assert any(name in done.stderr for name in wanted)


@pytest.mark.parametrize("seed", [1])
def test_a_generated_spec_through_the_command_line(tmp_path, seed):
    through_the_command_line(tmp_path, seed)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(2, 42))
def test_generated_specs_through_the_command_line(tmp_path, seed):
    through_the_command_line(tmp_path, seed)
