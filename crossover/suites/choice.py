"""What environment variables choose for both suites: the profile, more devices.

A profile is a spec (profiles/*.toml), so `crossover run` can measure the same cells.
"""

import os
import tomllib
from importlib.resources import files

from crossover.files.untrusted import check_known, refused
from crossover.spec.contenders import ACCELERATOR, STAND_IN
from crossover.spec.spec import DEVICE, Spec, parse_spec

PROFILES = ("smoke", "small", "regular", "large")
SUITE = "CROSSOVER_SUITE"
"""The environment variable that chooses the profile."""
DEVICES = "CROSSOVER_DEVICES"
"""The environment variable with more devices, measured like `STAND_IN`: `xpu,mps`."""


def profile_name() -> str:
    """Return the name of the profile that the environment chooses.

    Raises:
        InputError: for an unknown name.
    """
    name = os.environ.get(SUITE) or "small"
    check_known(SUITE, name, PROFILES)
    return name


def load_profile(name: str) -> Spec:
    """Return the spec of a profile."""
    path = files("crossover.suites").joinpath("profiles", f"{name}.toml")
    # Cells have the same names on every machine, because both tools compare by them.
    text = path.read_text("utf-8").replace(ACCELERATOR, STAND_IN)
    return parse_spec(tomllib.loads(text), f"profile {name}")


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
