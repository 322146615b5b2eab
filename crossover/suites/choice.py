"""What the environment chooses for both suites: the profile, and more devices.

A profile is a spec (profiles/*.toml), so that `crossover run` measures the same cells.
"""

import os
import tomllib
from importlib.resources import files

from crossover.files.untrusted import near
from crossover.nouns import InputError
from crossover.spec.contenders import ACCELERATOR, STAND_IN
from crossover.spec.spec import DEVICE, Spec, parse_spec

PROFILES = ("smoke", "small", "regular", "large")
SUITE = "CROSSOVER_SUITE"
"""The environment variable that chooses the profile."""
DEVICES = "CROSSOVER_DEVICES"
"""The one that names more devices, to be measured as `STAND_IN` is: `xpu,mps`."""


def profile_name() -> str:
    """Return the profile the environment asks for.

    Raises:
        InputError: for an unknown one.
    """
    name = os.environ.get(SUITE) or "small"
    if name not in PROFILES:
        allowed = ", ".join(PROFILES) + near(name, PROFILES)
        raise InputError(f"{SUITE} = {name!r}: must be one of {allowed}")
    return name


def load_profile(name: str) -> Spec:
    """Return a profile as the spec it is."""
    path = files("crossover.suites").joinpath("profiles", f"{name}.toml")
    # The names of cells are the same on every machine: both tools compare by them.
    text = path.read_text("utf-8").replace(ACCELERATOR, STAND_IN)
    return parse_spec(tomllib.loads(text), f"profile {name}")


def more_devices() -> tuple[str, ...]:
    """Return the devices that the environment names beside `STAND_IN`.

    Raises:
        InputError: for what cannot be a device.
    """
    names = [n.strip() for n in os.environ.get(DEVICES, "").split(",") if n.strip()]
    for name in names:
        if not DEVICE.fullmatch(name):
            raise InputError(
                f"{DEVICES} = {name!r}: must be torch devices separated by commas, "
                "such as xpu,cuda:1"
            )
    return tuple(n for n in dict.fromkeys(names) if n not in ("cpu", STAND_IN))


def first_pairs() -> tuple[tuple[str, str], ...]:
    """Return the (baseline, challenger) pairs of the profile's first sweep."""
    spec = load_profile(profile_name())
    return spec.sweep[0].pairs or spec.pairs
