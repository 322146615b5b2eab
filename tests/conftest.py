"""`pytest --benchmark-only` measures; it neither runs nor lists the tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crossover.system.ways import is_portable

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(autouse=True)
def own_state(monkeypatch, tmp_path_factory):
    """Note runs that are measured in a folder of the test, not in the user's."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


def pytest_runtest_setup(item):
    """Skip what is about a way of Unix where that way is not taken."""
    mark = item.get_closest_marker("unix_way")
    if mark and is_portable():
        pytest.skip(f"the portable ways: {mark.args[0]}")


def pytest_ignore_collect(collection_path, config):
    return True if config.getoption("benchmark_only", False) else None


@pytest.fixture(scope="session")
def unclipped():
    """Check that every text lies in its figure, and that no legend is over an axes."""
    import matplotlib as mpl
    from matplotlib.text import Text

    from crossover.report.pictures.styles import SAVING

    def check(figure):
        with mpl.rc_context(SAVING):
            figure.draw_without_rendering()
        whole = figure.bbox.padded(1)
        for text in figure.findobj(Text):
            if text.get_visible() and text.get_text().strip():
                box = text.get_window_extent()
                ends = ((box.x0, box.y0), (box.x1, box.y1))
                assert all(whole.contains(*end) for end in ends), text.get_text()
        for legend in figure.legends:
            for axes in figure.axes:
                over = legend.get_window_extent().overlaps(axes.get_window_extent())
                assert not over

    return check


@pytest.fixture(scope="session")
def simulated_environment(tmp_path_factory):
    """Install the simulated accelerator; return the environment of those who see it."""
    from simulated_accelerator import build

    if build.compiler() is None:
        pytest.skip("no C++ compiler for the simulated accelerator")
    site = tmp_path_factory.mktemp("site") / "packages"
    build.install(site)
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


@pytest.fixture(scope="session")
def brought(tmp_path_factory):
    """Return what installs a module beside the tests as a package with a workload."""
    from crossover.workloads.registry import GROUP

    def install(name, maker):
        module = maker.partition(":")[0]
        site = tmp_path_factory.mktemp("brought")
        record = site / f"{module}-1.0.dist-info"
        record.mkdir()
        shutil.copy(Path(__file__).parent / f"{module}.py", site)
        head = f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n"
        (record / "METADATA").write_text(head)
        (record / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {maker}\n")
        return site

    return install


@pytest.fixture(scope="session")
def child(simulated_environment):
    """Start a process that has two simulated accelerators (`Child.run`)."""
    from simulated_accelerator.child import Child

    process = Child(
        {**simulated_environment, "SIMULATED_ACCELERATOR": '{"devices": 2}'}
    )
    yield process
    process.stop()


@pytest.fixture(scope="session")
def offline():
    """Return what runs the program in a process that may open no connection.

    The call adds to two files of its folder: `network.log`, a line for each attempt,
    and `network.log.started`, a line for each Python process.
    """
    paths = FIXTURES / "offline", FIXTURES.parent.parent

    def run(folder, *arguments, code="from crossover.cli import main; main()"):
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)),
                 "OFFLINE_LOG": str(folder / "network.log")},
        )  # fmt: skip

    return run


@pytest.fixture
def crossover(monkeypatch, capsys, tmp_path):
    """Return a command line in this process: exit code, stdout, stderr."""
    from crossover.cli import main

    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["crossover", *map(str, arguments)])
        try:
            main()
        except SystemExit as stopped:
            return (stopped.code or 0, *capsys.readouterr())
        return (0, *capsys.readouterr())

    return command


@pytest.fixture
def undrawn(monkeypatch):
    """Write reports without pictures, which take the longest of all."""
    from crossover.report import write
    from crossover.sources.table import paper

    monkeypatch.setattr(write, "pictures", lambda *_, **__: iter(()))
    monkeypatch.setattr(paper, "drawn", lambda *_: iter(()))


@pytest.fixture
def left_over(monkeypatch, tmp_path):
    """Return who still runs of all that a test started; nobody may, in the end.

    Modules beside the tests can be imported by them.
    """
    import psutil

    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("FAULT_TEST", str(tmp_path))

    def found():
        return [p.pid for p in psutil.process_iter() if _started_for(p, str(tmp_path))]

    yield found
    assert found() == []
    below = psutil.Process().children()
    assert [p for p in below if p.status() == psutil.STATUS_ZOMBIE] == []


def _started_for(process, folder):
    try:
        return process.environ().get("FAULT_TEST") == folder
    except Exception:  # gone, or another user's
        return False
