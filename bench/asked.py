"""From what is asked to a `Spec`: a file or preset, then options, then the machine."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from bench.nouns import Contender
from bench.spec import (
    ACCELERATOR,
    ALL_THREADS,
    DEVICE,
    Spec,
    SpecError,
    near,
    parse_spec,
)
from softmax_core.case import stable_learning_rate

PRESETS = ("smoke", "quick", "lesson", "full")


@dataclass(frozen=True)
class Ask:
    """What the command line asked for; None leaves the spec's own value."""

    spec_file: Path | None = None
    preset: str = "quick"
    contenders: tuple[str, ...] = ()
    samples: str | None = None
    batch_size: str | None = None
    epochs: str | None = None
    features: int | None = None
    classes: int | None = None
    budget: str | None = None
    grid: bool = False
    prices: tuple[str, ...] = ()

    def spec(self) -> Spec:
        """Return the spec with the options in it.

        Raises:
            SpecError: naming the option, its value and what is allowed.
        """
        spec = load_spec(self.spec_file) if self.spec_file else load_preset(self.preset)
        fields = spec.model_dump(exclude_defaults=True)
        fields["sweep"] = self._sweeps(fields["sweep"])
        if self.contenders:
            first, *rest = self.contenders
            baseline = f"cpu/resident{ALL_THREADS}"
            pairs = [(first, c) for c in rest] or [(baseline, first)]
            fields["contenders"] = [*dict.fromkeys(c for pair in pairs for c in pair)]
            fields["pairs"] = pairs
            for sweep in fields["sweep"]:
                sweep.pop("contenders", None), sweep.pop("pairs", None)
        if self.budget:
            fields["budget_s"] = parse_duration(self.budget)
        if self.grid:
            fields["grid"] = True
        if self.prices:
            fields["prices"] = parse_prices(self.prices)
        return parse_spec(fields, "options")

    def _sweeps(self, sweeps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the spec's sweeps, or those of the lesson's job at the sizes given.

        A list of one size is a fixed value; each longer one is an axis, swept at
        every combination of the others.
        """
        lists = {
            name: parse_sizes(name, text)
            for name in ("samples", "batch_size", "epochs")
            if (text := getattr(self, name)) is not None
        }
        fixed = {
            n: v for n in ("features", "classes") if (v := getattr(self, n)) is not None
        }
        if not lists:
            return [_steady({**sweep, **fixed}, fixed) for sweep in sweeps]
        single = {name: sizes[0] for name, sizes in lists.items() if len(sizes) == 1}
        axes = [n for n, sizes in lists.items() if len(sizes) > 1] or list(lists)[:1]
        base = {**sweeps[0]} if self.spec_file else {}
        made = []
        for axis in axes:
            others = {
                n: sizes for n, sizes in lists.items() if n != axis and n not in single
            }
            for combination in _product(others):
                row = {**base, **single, **fixed, **combination}
                row.pop(axis, None)
                made.append(
                    _steady({**row, "axis": axis, "values": lists[axis]}, fixed)
                )
        return made


def _steady(sweep: dict[str, Any], fixed: dict[str, int]) -> dict[str, Any]:
    """Lower the learning rate to a stable one where features or classes were given."""
    shape = {
        k: sweep[k] for k in ("features", "classes", "dispersion") if k in sweep
    }  # fmt: skip
    if not fixed or not all(v >= 1 for v in fixed.values()):
        return sweep
    rate = min(sweep.get("learning_rate", 0.03), stable_learning_rate(**shape))
    return {**sweep, "learning_rate": rate}


def _product(lists: dict[str, list[int]]) -> list[dict[str, int]]:
    rows: list[dict[str, int]] = [{}]
    for name, sizes in lists.items():
        rows = [{**row, name: size} for row in rows for size in sizes]
    return rows


def parse_sizes(name: str, text: str) -> list[int]:
    """Read comma-separated sizes.

    Raises:
        SpecError: for an empty list or anything but integers >= 1.
    """
    sizes = []
    for part in text.split(","):
        if not part.strip().isascii() or not part.strip().isdigit() or int(part) < 1:
            raise SpecError(
                f"{name} = {text!r}: must be integers >= 1 separated by commas"
            )
        sizes.append(int(part))
    return sizes


def parse_duration(text: str) -> float:
    """Read `90s`, `5m`, `2h` or plain seconds.

    Raises:
        SpecError: for anything else, and for a duration that is not positive.
    """
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    try:
        seconds = float(text[:-1] if unit else text) * (unit or 1)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise SpecError(f"budget = {text!r}: must be a duration such as 90s, 5m or 2h")
    return seconds


def parse_prices(texts: tuple[str, ...]) -> dict[str, float]:
    """Read `DEVICE=PER_HOUR` texts.

    Raises:
        SpecError: for anything else, a price that is not positive, a device twice.
    """
    prices: dict[str, float] = {}
    for text in texts:
        device, _, amount = text.partition("=")
        try:
            per_hour = float(amount)
        except ValueError:
            per_hour = 0.0
        if not (DEVICE.fullmatch(device) and 0 < per_hour < float("inf")):
            raise SpecError(
                f"price = {text!r}: must be DEVICE=PER_HOUR with a number > 0, such as "
                "cpu=0.09 or cuda:0=2.49"
            )
        if device in prices:
            raise SpecError(f"price = {text!r}: must be given once for each device")
        prices[device] = per_hour
    return prices


def load_spec(path: Path) -> Spec:
    """Read a spec file.

    Raises:
        SpecError: in one line.
    """
    try:
        return parse_spec(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except OSError as error:
        raise SpecError(f"spec = {str(path)!r}: {error.strerror}") from error
    except ValueError as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"spec = {str(path)!r}: not TOML: {error}") from error


def load_preset(name: str) -> Spec:
    """Read a preset that ships with the package.

    Raises:
        SpecError: for an unknown name, with the nearest known one.
    """
    if name not in PRESETS:
        allowed = ", ".join(PRESETS) + near(name, PRESETS)
        raise SpecError(f"preset = {name!r}: must be one of {allowed}")
    text = files("bench").joinpath("presets", f"{name}.toml").read_text("utf-8")
    return parse_spec(tomllib.loads(text), f"preset {name}")


def resolve(spec: Spec, accelerators: tuple[str, ...], cores: int) -> Spec:
    """Replace `accelerator` and `@all` by what this machine has.

    Without an accelerator the name becomes `cuda`, whose cells are then recorded as
    unavailable with the reason: what did not run is reported, never left out.

    Raises:
        SpecError: for more threads than cores.
    """
    devices = accelerators or ("cuda",)

    def contenders(texts: tuple[str, ...]) -> tuple[str, ...]:
        found = dict.fromkeys(
            text.replace(ACCELERATOR, device).replace(ALL_THREADS, f"@{cores}")
            for text in texts
            for device in devices
        )
        for text in found:
            threads = Contender.parse(text).threads
            if threads is not None and threads > cores:
                raise SpecError(
                    f"threads = {threads} in contender {text!r}: must be at most "
                    f"{cores}, the cores of this machine"
                )
        return tuple(found)

    def pairs(items: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return tuple(
            dict.fromkeys(
                (contenders((a,))[i] if ACCELERATOR in a else contenders((a,))[0],
                 contenders((b,))[i] if ACCELERATOR in b else contenders((b,))[0])
                for a, b in items
                for i in range(len(devices))
            )
        )  # fmt: skip

    sweeps = tuple(
        s.model_copy(
            update={"contenders": contenders(s.contenders), "pairs": pairs(s.pairs)}
        )
        for s in spec.sweep
    )
    return spec.model_copy(
        update={
            "contenders": contenders(spec.contenders),
            "pairs": pairs(spec.pairs),
            "sweep": sweeps,
        }
    )
