"""Answers under pytest-benchmark's table, by the option `--crossover KEY=VALUE`.

pytest loads it in every project where this package is installed, so it does nothing
unless asked and imports nothing large before. Exit codes stay as they are.
"""

from __future__ import annotations  # older versions of pytest lack some of the types

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from crossover.door.benchmarks import Timed

KEYS = ("axis", "contender", "baseline")
"""What `--crossover KEY=VALUE` can say."""
SYNC = "crossover_sync"
"""The marker of a benchmark whose clock waits for torch's devices."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the option."""
    parser.getgroup("crossover").addoption(
        "--crossover",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="Below pytest-benchmark's table, say from which size on a contender is "
        "ahead: axis=PARAMETER of sizes, contender=PARAMETER (or contender=function), "
        "baseline=VALUE of it that others are compared with.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and refuse what the option cannot mean.

    Raises:
        pytest.UsageError: saying what is allowed.
    """
    config.addinivalue_line(
        "markers",
        f"{SYNC}: pytest-benchmark reads its clock when torch's accelerators are done.",
    )
    _asked(config)


def _asked(config: pytest.Config) -> dict[str, str]:
    """Return what the option says by its keys, empty if it is not given.

    Raises:
        pytest.UsageError: saying what is allowed.
    """
    texts: list[str] = config.getoption("crossover", default=[])
    found = {}
    for text in texts:
        key, is_pair, value = text.partition("=")
        if key not in KEYS or not (is_pair and value) or key in found:
            raise pytest.UsageError(
                f"--crossover {text}: must be KEY=VALUE with a key, given once, of "
                f"{', '.join(KEYS)}"
            )
        found[key] = value
    if found and not {"axis", "contender"} <= found.keys():
        raise pytest.UsageError(
            "--crossover: must be given for both, such as --crossover axis=n "
            "--crossover contender=device"
        )
    return found


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let the clock of a marked benchmark wait for torch's devices."""
    if item.get_closest_marker(SYNC) is None or _session(item.config) is None:
        return
    own = item.get_closest_marker("benchmark")
    options: dict[str, Any] = {"timer": done_at, **(own.kwargs if own else {})}
    item.add_marker(pytest.mark.benchmark(**options), append=False)


def done_at() -> float:
    """Wait until torch's accelerators, if it is loaded, are done; read the clock."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.accelerator.is_available():
        for number in range(torch.accelerator.device_count()):
            torch.accelerator.synchronize(number)
    return time.perf_counter()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the answers, or in a line why there are none."""
    if not (asked := _asked(config)):
        return
    terminalreporter.section("crossover")
    try:
        said = list(_lines(config, asked))
    except Exception as error:  # whatever is wrong here fails nobody's tests
        said = [f"no answer: {type(error).__name__}: {error}"]
    for line in said:
        terminalreporter.write_line(line)


def _lines(config: pytest.Config, asked: dict[str, str]) -> Iterator[str]:
    session = _session(config)
    if session is None:
        yield "no answer: pytest-benchmark is not installed, or not loaded"
    elif config.pluginmanager.hasplugin("dsession"):
        yield "no answer: with pytest-xdist nothing is measured; run without -n"
    elif session.disabled:
        yield "no answer: benchmarks are disabled, so nothing was measured"
    else:
        from crossover.door.benchmarks import answered

        yield from answered(_timed(session), **asked)


def _session(config: pytest.Config) -> Any:
    """Return pytest-benchmark's session; None if there is none."""
    return config.pluginmanager.get_plugin("pytest-benchmark")


def _timed(session: Any) -> Iterator[Timed]:
    """Yield the benchmarks that were measured, and in which nothing went wrong."""
    from crossover.door.benchmarks import Timed

    for one in session.benchmarks:
        if one and not one.has_error:
            test = str(one.fullname).partition("[")[0]
            yield Timed(test, dict(one.params or {}), tuple(one.stats.data))
