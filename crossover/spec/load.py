"""A spec from its file, or from a preset that ships with the package."""

from importlib.resources import files
from pathlib import Path

from crossover.files.refusals import refusing
from crossover.files.untrusted import check_known, parse_toml, read_text
from crossover.spec.spec import Spec, parse_spec

PRESETS = ("smoke", "quick", "lesson", "full")
MOST_SPEC = 256 * 1024


def load_spec(path: Path) -> Spec:
    """Read a spec file.

    Raises:
        InputError: in one line.
    """
    with refusing("spec", path):
        return parse_spec(parse_toml(read_text(path, MOST_SPEC, pipe=True)), str(path))


def load_preset(name: str) -> Spec:
    """Read a preset that ships with the package.

    Raises:
        InputError: for an unknown name, with the nearest known one.
    """
    check_known("preset", name, PRESETS)
    text = (
        files("crossover.spec").joinpath("presets", f"{name}.toml").read_text("utf-8")
    )
    return parse_spec(parse_toml(text), f"preset {name}")
