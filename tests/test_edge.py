"""Faults of input and surroundings are one line and exit code 2, and cost no report."""

import errno
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from crossover.command import job, new_run
from crossover.files.edge import one_line_always
from crossover.files.streams import Lasting
from crossover.launch import node
from crossover.measure import process

REFERENCE = Path(__file__).parent.parent / "results" / "reference"
CALL = (
    "from crossover.report import write; write.pictures = lambda *_: iter(()); "
    "from crossover.cli import main; main()"
)
"""The command line, which writes reports without pictures: they take the longest."""
LONG = "a" * 300


class Broken(io.StringIO):
    """A stream that fails from its first write, or only as it is flushed."""

    def __init__(self, number, at="write"):
        super().__init__()
        self.number, self.at = number, at

    def write(self, text):
        self.fail("write")
        return super().write(text)

    def flush(self):
        self.fail("flush")

    def fail(self, at):
        if at == self.at:
            raise OSError(self.number, os.strerror(self.number))


def ended(*steps):
    """Carry out steps as a command, and return its exit code."""
    with pytest.raises(SystemExit) as end:
        command(steps)
    return end.value.code or 0


@one_line_always()
def command(steps):
    for step in steps:
        step()


def say(text="said"):
    print(text)


def flush():
    sys.stdout.flush()


@pytest.mark.parametrize("at", ["write", "flush"])
@pytest.mark.parametrize(
    ("number", "code"), [(errno.EPIPE, 0), (errno.ENOSPC, 2), (errno.EIO, 2)]
)
def test_a_stdout_that_fails_costs_no_work(monkeypatch, capsys, number, code, at):
    done = []
    monkeypatch.setattr(sys, "stdout", Broken(number, at))
    assert ended(say, flush, lambda: done.append(1), say) == code
    assert done == [1]
    said = f"crossover: stdout: {os.strerror(number)}\n" if code else ""
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("code", [0, 1, 3, 130])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_reader_that_left_changes_no_exit_code(monkeypatch, name, code):
    monkeypatch.setattr(sys, name, Broken(errno.EPIPE))
    speak = lambda: print("said", file=getattr(sys, name))  # noqa: E731
    assert ended(speak, lambda: sys.exit(code)) == code


def test_a_terminal_that_left_is_no_fault(monkeypatch):
    gone = Broken(errno.EIO)
    gone.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", gone)
    assert ended(say) == 0


def test_a_stderr_that_is_full_costs_only_what_it_would_show(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", Broken(errno.ENOSPC))
    assert ended(lambda: print("progress", file=sys.stderr), lambda: say("answer")) == 0
    assert capsys.readouterr().out == "answer\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_characters_that_a_stream_lacks_are_written_out(encoding):
    raw = io.BytesIO()
    stream = Lasting(io.TextIOWrapper(raw, encoding))
    print("at ≤ 5 \udcff", file=stream)
    stream.flush()
    shown = "≤" if encoding == "utf-8" else "\\u2264"
    assert raw.getvalue().decode(encoding) == f"at {shown} 5 \\udcff\n"
    assert stream.lost == ""


def test_a_stream_that_is_closed_or_none_takes_anything():
    closed = io.StringIO()
    closed.close()
    for stream in (Lasting(None), Lasting(closed)):
        assert stream.write("text") == 4
        stream.flush()
        assert (stream.isatty(), stream.lost) == (False, "")
    with pytest.raises(OSError):
        Lasting(None).fileno()


FAULTS = [
    (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
    (
        FileNotFoundError(errno.ENOENT, "No such file", "a\nb"),
        "'a\\\\nb': No such file",
    ),
    (OSError("Load averages are unobtainable"), "Load averages are unobtainable"),
    (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no"), "'\\\\ud800': cannot be"),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), "must be text in UTF-8"),
    (ValueError("embedded null byte"), "the character NUL"),
    (MemoryError(), "out of memory"),
    (psutil.NoSuchProcess(1), "does not tell of its processes"),
    (BrokenPipeError(errno.EPIPE, "Broken pipe"), "Broken pipe"),
]


@pytest.mark.parametrize(("error", "line"), FAULTS, ids=lambda x: type(x).__name__)
def test_a_fault_is_one_line(capsys, error, line):
    with pytest.raises(SystemExit) as end, one_line_always():
        raise error
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert said.startswith("crossover: ")
    assert line.replace("\\\\", "\\") in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyError("x"), RuntimeError("x"), AssertionError()]
)
def test_an_error_of_ours_shows_where_it_comes_from(error):
    before = sys.stdout, sys.stderr
    with pytest.raises(type(error)), one_line_always():
        raise error
    assert (sys.stdout, sys.stderr) == before


PATHS = [LONG, "a\0b", "\ud800", "\udcff", f"{LONG}/b", "/dev/null/x", "/dev/zero"]
COMMANDS = [
    ("report",), ("report", "--from-asv"), ("report", "--from-pytest-benchmark"),
    ("run",), ("run", "--resume"), ("predict",), ("compare", "x"),
    ("run", "--preset", "smoke", "--out"),
    ("lesson", "--experiment", "worked", "--out"),
    ("analyse", "--axis", "n", "--time", "s", "--contender", "c", "--baseline", "a",
     "--challenger", "b"),
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=ascii)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_path_that_cannot_be_is_one_line(crossover, monkeypatch, command, path):
    if command[-1] == "--out" and path == "\udcff":
        pytest.skip("a name that this system can write")
    monkeypatch.setattr(job, "new_run", refuse)
    code, _, said = crossover(*command, path)
    assert (code, said.count("\n")) == (2, 1), said
    assert said.startswith("crossover: ")


def refuse(*_):
    raise OSError(errno.EPERM, "the machine is not measured here")


def test_a_name_in_no_encoding_does_not_spoil_what_is_recorded(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["crossover", "run", "\udcff"])
    assert new_run.typed() == "crossover run '\\udcff'"


def test_a_machine_without_git_has_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert new_run.commit() is None


@pytest.mark.unix_way("/proc is not read")
@pytest.mark.parametrize("command", [("devices",), ("lesson",), ("doctor", "--quick")])
def test_without_proc_nothing_is_measured(crossover, monkeypatch, command):
    monkeypatch.setattr(process, "PROC", Path("/nowhere"))
    code, said, errors = crossover(*command)
    assert (code, said) == (2, "")
    assert errors.startswith("crossover: /proc: must be mounted")
    assert errors.count("\n") == 1


def test_a_folder_that_is_gone_is_said(monkeypatch, tmp_path, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert ended(Path.cwd) == 2
    assert "the current folder is gone" in capsys.readouterr().err


def test_no_place_for_temporary_files_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(tempfile, "_get_candidate_names", lambda: iter(["x"] * 100))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    assert ended(tempfile.mkdtemp) == 2
    assert "temporary directory" in capsys.readouterr().err


def test_a_job_of_a_launch_ends_in_one_line_too(monkeypatch, capsys, tmp_path):
    for arguments in ([], [tmp_path / LONG, "a"], [tmp_path / "nowhere", "a"]):
        monkeypatch.setattr(sys, "argv", ["node", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            node.main()
        said = capsys.readouterr().err
        assert (end.value.code, said.count("\n")) == (2, 1), said


def in_shell(text, folder, **variables):
    """Run a line of a shell in a folder, in which $C is the command."""
    call = f"'{sys.executable}' -P -c '{CALL}'"
    return subprocess.run(
        ["bash", "-c", f"C() {{ {call} \"$@\"; }}; {text}"],
        cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "code", "errors"),
    [
        ("C report run > /dev/full", 2, "crossover: stdout: No space left on device\n"),
        ("C report run 2> /dev/full", 0, ""),
        ("C report run | head -1; exit ${PIPESTATUS[0]}", 0, ""),
        ("C report run <&- >&- 2>&-", 0, ""),
        ("PYTHONIOENCODING=ascii C report run", 0, ""),
        ("env -u HOME MPLCONFIGDIR=/dev/null/x TMPDIR=/dev/null LC_ALL=C "
         "PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 bash -c \"$(declare -f C); C report run\"",
         0, ""),
    ],
)  # fmt: skip
def test_a_report_is_written_whatever_becomes_of_what_is_said(
    tmp_path, line, code, errors
):
    shutil.copytree(REFERENCE, tmp_path / "run")
    written = [*(tmp_path / "run").glob("report.*"), *(tmp_path / "run").glob("*.csv")]
    for path in written:
        path.unlink()
    done = in_shell(line, tmp_path)
    assert (done.returncode, done.stderr) == (code, errors), done.stderr
    assert all(path.exists() for path in written)
