"""Run steps that are bounded in time, sum them up, and pack one small archive.

`gpu_check` names the steps. A step is a command of its own: when it fails, hangs or
floods its output, what it printed is kept and the next step runs.
"""

import gzip
import io
import os
import re
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

GRACE_S = 8.0
"""Seconds that an interrupted step has to write what it has, before it is killed."""
MOST_OUTPUT = 256 * 1024
"""Bytes kept of what a step printed, half of them from its start."""
MOST_LINE = 300
"""Longest line of the summary, in characters."""
SUMMARY = "summary.txt"


@dataclass(frozen=True)
class Step:
    """A command, the seconds it may take, and which of its lines tells most."""

    name: str
    command: tuple[str, ...]
    most_s: float
    tells: tuple[str, ...] = ()
    """Patterns of a line, the most telling first; without a match, the last line."""
    passes: tuple[int, ...] = (0,)
    """Exit codes that mean success."""
    skip: str = ""
    """Why the step is skipped on this machine; empty if it runs."""
    reserved: bool = False
    """Whether earlier steps must leave enough time for this one."""


@dataclass(frozen=True)
class Done:
    """How a step ended."""

    name: str
    result: str
    seconds: float
    says: str
    failed: bool


def time_for(steps: Sequence[Step], number: int, left_s: float) -> float:
    """Return the seconds that a step may take; 0 if none are left for it.

    Args:
        steps: all steps, in order.
        number: the step's place among them, from 0.
        left_s: seconds left for this step and the later ones together.
    """
    step = steps[number]
    later_s = sum(s.most_s for s in steps[number + 1 :] if s.reserved and not s.skip)
    return max(0.0, min(step.most_s, left_s - later_s))


def carried_out(
    steps: Sequence[Step],
    folder: Path,
    whole_s: float,
    environment: Mapping[str, str],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Done]:
    """Do the steps in order within `whole_s`, and yield how each ended."""
    end_s = clock() + whole_s
    for number, step in enumerate(steps):
        most_s = time_for(steps, number, end_s - clock())
        if step.skip:
            yield Done(step.name, "skipped", 0.0, step.skip, False)
        elif most_s <= GRACE_S:
            yield Done(step.name, "skipped", 0.0, "no time was left for it", True)
        else:
            yield carry_out(step, most_s, folder / f"{step.name}.txt", environment)


def carry_out(
    step: Step, most_s: float, kept: Path, environment: Mapping[str, str]
) -> Done:
    """Do one step, keep what it prints, and end it when its time is over."""
    start_s = time.monotonic()
    try:
        code = _run(step.command, most_s, kept, environment)
    except OSError as error:
        kept.write_text(f"{step.command[0]}: {error.strerror}\n", encoding="utf-8")
        code = 127
    seconds = time.monotonic() - start_s
    text = _shortened(kept)
    result = f"exit {code}" if code else "passed"
    if code is None:
        result = f"ended after {seconds:.0f} s"
    return Done(
        step.name, result, seconds, telling(text, step.tells), code not in step.passes
    )


def _run(
    command: Sequence[str], most_s: float, kept: Path, environment: Mapping[str, str]
) -> int | None:
    """Return the exit code; None if the command was ended for taking too long."""
    with kept.open("wb") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
            env=environment, start_new_session=True,
        )  # fmt: skip
        try:
            return process.wait(most_s - GRACE_S)
        except subprocess.TimeoutExpired:
            process.terminate()  # a run then writes a partial report
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                pass
            return None
        finally:
            _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a step and whatever it left running."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _shortened(kept: Path) -> str:
    """Return a step's output; a long one is cut to its start and end, on disk too."""
    half = MOST_OUTPUT // 2
    with kept.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(MOST_OUTPUT)
        if size > MOST_OUTPUT:
            file.seek(size - half)
            cut = f"\n[{size - MOST_OUTPUT:,} bytes are left out]\n".encode()
            data = data[:half] + cut + file.read(half)
    if size > MOST_OUTPUT:
        kept.write_bytes(data)
    return data.decode(errors="replace")


def telling(text: str, patterns: Iterable[str]) -> str:
    """Return the line that the first matching pattern finds, else the last line."""
    for pattern in patterns:
        if found := re.search(pattern, text, re.MULTILINE):
            start = text.rfind("\n", 0, found.start() + 1) + 1
            line = text[start:].partition("\n")[0]
            return line.strip(" =")[:MOST_LINE]
    lines = [line.strip(" =") for line in text.splitlines() if line.strip(" =")]
    return lines[-1][:MOST_LINE] if lines else "nothing was printed"


def summary(done: Sequence[Done], first: Sequence[str]) -> str:
    """Return the summary: how many succeeded, the telling lines, then every step.

    Args:
        done: how the steps so far ended.
        first: names of steps whose lines are printed at the top, most telling first.
    """
    failed = [d for d in done if d.failed]
    seconds = sum(d.seconds for d in done)
    passed = f"{len(done) - len(failed)} of {len(done)} steps did their work"
    head = f"{passed}, in {int(seconds // 60)} min {seconds % 60:.0f} s."
    if failed:
        head += f" Look at: {', '.join(d.name for d in failed)}."
    by_name = {d.name: d for d in done}
    lines = [head]
    lines += [f"{n}: {by_name[n].says}" for n in first if n in by_name]
    lines += [f"{d.name}: {d.says}" for d in failed if d.name not in first]
    lines += ["", f"{'step':12} {'seconds':>7}  result"]
    lines += [f"{d.name:12} {d.seconds:7.1f}  {d.result}: {d.says}" for d in done]
    return "\n".join(lines) + "\n"


def pack(folder: Path, archive: Path, most_bytes: int) -> list[str]:
    """Pack a folder; return the files left out so that the archive stays small enough.

    The summary goes in first, then what the steps printed, then what they wrote,
    small files before large ones.
    """
    sizes = {
        path: _packed_bytes(path)
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }

    def order(path: Path) -> tuple[bool, bool, int, str]:
        is_summary, is_output = path.name == SUMMARY, path.parent == folder
        return not is_summary, not is_output, sizes[path], str(path)

    room, left_out = most_bytes - 2 * tarfile.RECORDSIZE, []
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(sizes, key=order):
            if sizes[path] > room:
                left_out.append(f"{path.relative_to(folder)} ({sizes[path]:,} bytes)")
                continue
            room -= sizes[path]
            tar.add(path, arcname=f"{folder.name}/{path.relative_to(folder)}")
    return left_out


def _packed_bytes(path: Path) -> int:
    """Return how many bytes a file takes in the archive, at most."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        file.write(path.read_bytes())
    return len(packed.getvalue()) + 2 * tarfile.BLOCKSIZE
