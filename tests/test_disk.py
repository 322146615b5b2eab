"""Folders that fill up, vanish, cannot be written, or are another run's too."""

import contextlib
import dataclasses
import errno
import os
import resource
import shutil
import signal
import subprocess
from datetime import UTC, datetime, timedelta

import by_hand
import pytest

from crossover.command import new_run
from crossover.files.untrusted import InputError
from crossover.measure.pipe import Sample
from crossover.record import lock, run_folder
from crossover.sources.find_runs import runs_given

JOURNAL = run_folder.JOURNAL


pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture
def small_disk(tmp_path):
    """Return a disk of 64 KiB and a function that mounts it otherwise."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if (
        os.geteuid()
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("needs to mount a file system, as root may")
    try:
        again = ["mount", str(folder), "-o"]
        yield folder, lambda how: subprocess.run([*again, f"remount,{how}"], check=True)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def largest_file(size):
    """Let no file become larger; writing beyond fails as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def undisturbed(tmp_path):
    spec, run = by_hand.new()
    out = tmp_path / "undisturbed"
    run_folder.create(out, run)
    by_hand.measure(spec, run, out)
    return (out / JOURNAL).read_bytes()


def test_a_full_disk_ends_the_run_and_keeps_every_round(tmp_path, small_disk):
    """The round that did not fit is cut off; with more room the run goes on."""
    disk, remount = small_disk
    spec, run = by_hand.new()
    run_folder.create(disk / "run", run)
    with pytest.raises(InputError) as error:
        by_hand.measure(spec, run, disk / "run")
    said = str(error.value)
    assert "No space left on device; every round before is kept" in said
    assert said.endswith(f"go on with: crossover run --resume {disk / 'run'}")
    kept = run_folder.load(disk / "run")
    assert kept.lost == ""
    assert 10 < len(kept.measurements) < 110
    remount("size=4m")
    by_hand.measure(spec, run_folder.reopen(disk / "run"), disk / "run")
    assert (disk / "run" / JOURNAL).read_bytes() == undisturbed(tmp_path)


def test_a_round_that_does_not_fit_is_cut_off(tmp_path):
    spec, run = by_hand.new()
    whole, out = undisturbed(tmp_path), tmp_path / "run"
    run_folder.create(out, run)
    with (
        largest_file(20_000),
        pytest.raises(InputError, match="File too large"),
    ):
        by_hand.measure(spec, run, out)
    assert 18_000 < (out / JOURNAL).stat().st_size < 20_000
    assert whole.startswith((out / JOURNAL).read_bytes())
    assert run_folder.load(out).lost == ""
    by_hand.measure(spec, run_folder.reopen(out), out)
    assert (out / JOURNAL).read_bytes() == whole


def test_a_report_that_does_not_fit_leaves_the_measurements(tmp_path, crossover):
    whole = undisturbed(tmp_path)
    with largest_file(4000):
        code, _, error = crossover("report", tmp_path / "undisturbed")
    assert (code, error.count("\n")) == (2, 1)
    assert "File too large" in error
    left = {p.name for p in (tmp_path / "undisturbed").iterdir()}
    assert not [name for name in left if name.endswith(".part")]
    assert (tmp_path / "undisturbed" / JOURNAL).read_bytes() == whole


def test_a_folder_that_is_only_read(tmp_path, small_disk, crossover):
    disk, remount = small_disk
    run_folder.create(disk / "run", by_hand.new()[1])
    remount("ro")
    for command in (
        ["run", "--resume", disk / "run"],
        ["run", "--preset", "smoke", "--contender", "cpu", "--out", disk / "new"],
        ["report", disk / "run"],
        ["report", disk / "run", "--out", disk / "new"],
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(new_run, "snapshot", lambda devices: by_hand.virtual.MACHINE)
            code, _, error = crossover(*command)
        assert (code, error.count("\n")) == (2, 1), error
        assert "Read-only file system" in error
        assert str(disk) in error
    remount("rw")


def at_round(number, action):
    """Do something once, before the first sample of a round."""
    done = []

    def before(request):
        if isinstance(request, Sample) and request.round == number and not done:
            done.append(action())

    return before


def test_what_was_recorded_in_a_folder_that_is_gone_is_kept_beside(tmp_path):
    spec, run = by_hand.new()
    out, beside = tmp_path / "run", tmp_path / "run-rescued"
    run_folder.create(out, run)
    with pytest.raises(InputError) as error:
        by_hand.measure(spec, run, out, at_round(5, lambda: shutil.rmtree(out)))
    assert "it is gone" in str(error.value)
    assert str(error.value).endswith(f"go on with: crossover run --resume {beside}")
    assert not out.exists()
    kept = run_folder.reopen(beside)
    assert {m.round for m in kept.measurements if m.status == "ok"} == set(range(5))
    by_hand.measure(spec, kept, beside)
    ok = [m for m in run_folder.load(beside).measurements if m.status == "ok"]
    assert len(ok) == undisturbed(tmp_path).count(b'"status": "ok"')


def test_a_folder_of_another_run_in_its_place_is_not_written_to(tmp_path):
    spec, run = by_hand.new()
    out = tmp_path / "run"
    run_folder.create(out, run)

    def replace():
        shutil.rmtree(out)
        run_folder.create(out, dataclasses.replace(run, run_id="other"))

    with pytest.raises(InputError, match="another file in its place"):
        by_hand.measure(spec, run, out, at_round(3, replace))
    assert run_folder.load(out).run_id == "other"
    assert run_folder.load(out).measurements == ()
    assert len(run_folder.load(tmp_path / "run-rescued").measurements) > 5


def test_a_second_writer_is_noticed(tmp_path):
    spec, run = by_hand.new()
    out = tmp_path / "run"
    run_folder.create(out, run)

    def write_too():
        line = (out / JOURNAL).read_bytes().splitlines(keepends=True)[-1]
        with (out / JOURNAL).open("ab") as journal:
            journal.write(line)

    with pytest.raises(InputError, match="another program wrote to it"):
        by_hand.measure(spec, run, out, at_round(3, write_too))
    with pytest.raises(InputError, match=r"line \d+ of .*: check = "):
        run_folder.load(out)
    (said, _) = run_folder.recover(out)
    assert "left out line " in said
    assert run_folder.load(out).measurements


def test_a_clock_that_is_set_back_changes_dates_alone(tmp_path):
    spec, run = by_hand.new(budget_s=2.0)
    dates = iter(range(10**6))

    def jumping():
        return datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=next(dates))

    run_folder.create(tmp_path / "back", run)
    back = by_hand.measure(spec, run, tmp_path / "back", utc=jumping).measurements
    run_folder.create(tmp_path / "on", run)
    on = by_hand.measure(spec, run, tmp_path / "on").measurements
    assert back[0].started_utc > back[-1].started_utc
    undated = [dataclasses.replace(m, started_utc="") for m in back]
    assert undated == [dataclasses.replace(m, started_utc="") for m in on]


def test_two_runs_into_one_folder_are_one(tmp_path, crossover):
    run_folder.create(tmp_path / "run", by_hand.new()[1])
    ready, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        with lock.held(tmp_path / "run"):
            os.write(end, b"r")
            signal.pause()
    os.read(ready, 1)
    try:
        code, _, error = crossover("run", "--resume", tmp_path / "run")
        assert (code, error.count("\n")) == (2, 1)
        assert f"out = {str(tmp_path / 'run')!r}: process {pid} on " in error
        with pytest.raises(InputError, match=f"process {pid} on "):
            run_folder.entered(tmp_path / "run", new=True).__enter__()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert (tmp_path / "run" / lock.LOCK).exists()  # what it left holds nobody up
    with lock.held(tmp_path / "run"):
        pass
    assert not (tmp_path / "run" / lock.LOCK).exists()


def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch, capsys):
    def flock(descriptor, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    with lock.held(tmp_path):
        said = capsys.readouterr().err
    assert said == (
        f"crossover: out = {str(tmp_path)!r}: cannot be locked (No locks available): "
        "start no second run there\n"
    )


def test_names_that_differ_by_case_alone_get_folders_that_do_not(tmp_path):
    folders = []
    for name in ("Quick", "quick", "QUICK"):
        folders.append(tmp_path / f"{name}-run")
        run_folder.create(
            folders[-1], dataclasses.replace(by_hand.new()[1], run_id=name)
        )
    given = runs_given(folders, (), (), tmp_path / "out")
    names = [folder.name for _, folder in given]
    assert names[0] == "Quick"
    assert len({name.casefold() for name in names}) == 3
