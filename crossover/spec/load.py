"""A spec from its file, or from a preset that ships with the package."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from crossover.files.untrusted import Unreadable, near, read_text
from crossover.spec.spec import Spec, SpecError, parse_spec

PRESETS = ("smoke", "quick", "lesson", "full")
MOST_SPEC, MOST_DOTS = 256 * 1024, 5000


def load_spec(path: Path) -> Spec:
    """Read a spec file.

    Raises:
        SpecError: in one line.
    """
    try:
        return parse_spec(_toml(read_text(path, MOST_SPEC, pipe=True)), str(path))
    except OSError as error:
        raise SpecError(f"spec = {str(path)!r}: {error.strerror}") from error
    except Unreadable as error:
        raise SpecError(f"spec = {str(path)!r}: {error}") from error


def _toml(text: str) -> dict[str, Any]:
    if text.count(".") > MOST_DOTS:  # tomllib's time is the square of a key's parts
        raise Unreadable(f"too many dots; must be at most {MOST_DOTS:,}")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise Unreadable("nested too deep to be read") from error
    except ValueError as error:
        raise Unreadable(f"not TOML: {' '.join(str(error).split())}") from error


def load_preset(name: str) -> Spec:
    """Read a preset that ships with the package.

    Raises:
        SpecError: for an unknown name, with the nearest known one.
    """
    if name not in PRESETS:
        allowed = ", ".join(PRESETS) + near(name, PRESETS)
        raise SpecError(f"preset = {name!r}: must be one of {allowed}")
    text = (
        files("crossover.spec").joinpath("presets", f"{name}.toml").read_text("utf-8")
    )
    return parse_spec(tomllib.loads(text), f"preset {name}")
