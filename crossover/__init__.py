"""From which size on is one contender ahead of another, by how much, and how sure?

The names here are what other programs may rely on; the rest may move. They load on
first use, so that `import crossover` costs nothing. docs/python.md shows them at work.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crossover.analysis.frame import Frames, read_run
    from crossover.choose.export import load_export
    from crossover.door.analysed import analyse
    from crossover.door.compared import compare
    from crossover.door.find import find
    from crossover.door.run import read, run
    from crossover.files.untrusted import InputError

    __version__: str

_HOME = {
    "Frames": "crossover.analysis.frame",
    "InputError": "crossover.files.untrusted",
    "analyse": "crossover.door.analysed",
    "compare": "crossover.door.compared",
    "find": "crossover.door.find",
    "load_export": "crossover.choose.export",
    "read": "crossover.door.run",
    "read_run": "crossover.analysis.frame",
    "run": "crossover.door.run",
}

__all__ = [
    "Frames", "InputError", "__version__", "analyse", "compare", "find",
    "load_export", "read", "read_run", "run",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("softmax-crossover")
    if name not in _HOME:
        raise AttributeError(f"module 'crossover' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
