"""What environment variables choose for both suites: the profile, more devices.

A profile is a spec (profiles/*.toml), so `crossover run` can measure the same cells.
"""

import os
from functools import cache
from importlib.resources import files
from pathlib import Path

from crossover.files.untrusted import check_known, parse_toml, read_text, refused
from crossover.spec.contenders import ACCELERATOR, STAND_IN
from crossover.spec.load import MOST_SPEC
from crossover.spec.spec import DEVICE, Spec, parse_spec
from crossover.workloads.registry import bring
from crossover.workloads.user_file import declare, is_target

PROFILES = ("smoke", "small", "regular", "large")
SUITE = "CROSSOVER_SUITE"
"""The environment variable that chooses the profile."""
BESIDE = "ASV_CONF_DIR"
"""The environment variable with which asv says where its configuration is."""
DEVICES = "CROSSOVER_DEVICES"
"""The environment variable with more devices, measured like `STAND_IN`: `xpu,mps`."""


def profile_name() -> str:
    """Return the profile that the environment chooses: its name, or a spec's path.

    Raises:
        InputError: for an unknown name.
    """
    name = os.environ.get(SUITE) or "small"
    if not name.endswith(".toml"):
        check_known(SUITE, name, PROFILES)
    return name


@cache
def load_profile(name: str) -> Spec:
    """Return the spec of a profile; a user's file that it names is loaded.

    Args:
        name: that of a profile that ships with the program, or the path of a spec,
            relative to asv's configuration, or else to the current folder.

    Raises:
        InputError: in one line.
    """
    if name.endswith(".toml"):
        path = Path(os.environ.get(BESIDE, ""), name).resolve()
        text, folder = read_text(path, MOST_SPEC), str(path.parent)
    else:
        own = files("crossover.suites").joinpath("profiles", f"{name}.toml")
        text, folder = own.read_text("utf-8"), ""
    # Cells have the same names on every machine, because both tools compare by them.
    fields = parse_toml(text.replace(ACCELERATOR, STAND_IN))
    workload = fields.get("workload")
    if folder and isinstance(workload, str) and is_target(workload):
        job = declare(workload, folder)
        bring(job)
        fields["workload"] = job.declared.name
    return parse_spec(fields, f"profile {name}")


def more_devices() -> tuple[str, ...]:
    """Return the devices that the environment names, except the CPU and `STAND_IN`.

    Raises:
        InputError: for a text that is no device.
    """
    names = [n.strip() for n in os.environ.get(DEVICES, "").split(",") if n.strip()]
    for name in names:
        if not DEVICE.fullmatch(name):
            must = "be torch devices separated by commas, such as xpu,cuda:1"
            raise refused(DEVICES, name, must)
    return tuple(n for n in dict.fromkeys(names) if n not in ("cpu", STAND_IN))


def first_pairs() -> tuple[tuple[str, str], ...]:
    """Return the (baseline, challenger) pairs of the profile's first sweep."""
    spec = load_profile(profile_name())
    return spec.sweep[0].pairs or spec.pairs
