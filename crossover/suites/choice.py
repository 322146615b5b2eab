"""What environment variables choose for both suites: the profile, more devices.

A profile is a spec (profiles/*.toml), so `crossover run` can measure the same cells.
"""

import os
from functools import cache
from importlib.resources import files
from pathlib import Path

from crossover.files.untrusted import check_known, parse_toml, refused
from crossover.measure.declare import bring_file
from crossover.spec.contenders import ACCELERATOR, ALL_THREADS, STAND_IN
from crossover.spec.load import load_spec
from crossover.spec.resolve import renamed
from crossover.spec.spec import DEVICE, Spec, parse_spec

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


def load_profile(name: str) -> Spec:
    """Return the spec of a profile.

    Args:
        name: that of a profile that ships with the program, or the path of a spec,
            relative to asv's configuration, or else to the working folder.

    Raises:
        InputError: in one line.
    """
    if name.endswith(".toml"):
        return _users(Path(os.environ.get(BESIDE, ""), name).resolve())
    return _own(name)


@cache
def _users(path: Path) -> Spec:
    """Return a user's profile; another process loads the file that it names.

    asv forks this one for each cell, and what the file does as it is loaded, such as
    starting threads, may not outlast a fork.
    """
    spec = load_spec(path, bring_file)
    return _for_all(spec)


@cache
def _own(name: str) -> Spec:
    file = files("crossover.suites").joinpath("profiles", f"{name}.toml")
    return _for_all(parse_spec(parse_toml(file.read_text("utf-8")), f"profile {name}"))


def _for_all(spec: Spec) -> Spec:
    """Return a profile whose cells have the same names on every machine.

    Both tools compare by these names.
    """
    return renamed(spec, (STAND_IN,), _named)


def _named(text: str, device: str) -> str:
    if ALL_THREADS in text:
        counted = text.replace(ALL_THREADS, "@2")
        must = "name a number of threads in a profile, which is the same everywhere"
        raise refused("contender", text, f"{must}, such as {counted}")
    return text.replace(ACCELERATOR, device)


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


def first_axis() -> str:
    """Return the axis of the profile's first sweep."""
    return load_profile(profile_name()).sweep[0].axis
