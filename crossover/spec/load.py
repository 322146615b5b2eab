"""A spec from its file, or from a preset that ships with the package."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from crossover.files.refusals import refusing
from crossover.files.untrusted import check_known, parse_toml, read_text
from crossover.spec.spec import Spec, parse_spec
from crossover.workloads.workload import Workload, is_users

PRESETS = ("smoke", "quick", "lesson", "full")
MOST_SPEC = 256 * 1024


def load_spec(path: Path, bring: Callable[[str, str], Workload] | None = None) -> Spec:
    """Read a spec file.

    Args:
        path: the file.
        bring: makes a user's file known, given as the spec names it, and the spec's
            folder; returns its workload. Without it, such specs are refused.

    Raises:
        InputError: in one line.
    """
    with refusing("spec", path):
        fields = parse_toml(read_text(path, MOST_SPEC, pipe=True))
    name = fields.get("workload")
    if bring is not None and isinstance(name, str) and is_users(name):
        fields["workload"] = bring(name, str(path.resolve().parent)).name
    with refusing("spec", path):
        return parse_spec(fields, str(path))


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
