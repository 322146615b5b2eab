"""A device's data sheet: TOML in, a validated `Sheet` out. Some ship with us."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crossover.files.refusals import refusing
from crossover.files.untrusted import InputError, near, parse_toml, read_text

SHEETS = ("a100-sxm", "h100-sxm", "rtx-4090", "t4")
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Range = tuple[Positive, Positive]


class Sheet(BaseModel):
    """What its maker states of a device; a pair is the lowest and the highest value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: str
    """Where the numbers come from."""
    memory_bytes: Positive
    memory_bytes_per_s: Positive
    operations_per_s: dict[str, Positive]
    """Floating-point operations, by the type of the numbers."""
    bus_bytes_per_s: Positive
    """Bytes per second in each direction."""
    bus_latency_s: Positive
    launch_s: Range
    """Seconds of the host for one operator of eager torch."""
    kernel_s: Range
    """Seconds of the device's shortest kernel, with the gap to the next."""
    reached: Range
    """Share of the stated bandwidths and throughput that programs reach."""

    def throughput(self, dtype: str) -> float:
        """Return the floating-point operations per second in a type of numbers.

        Raises:
            InputError: if the sheet does not state them.
        """
        if dtype not in self.operations_per_s:
            raise InputError(
                f"device = {self.name!r}: its sheet states operations_per_s for "
                f"{', '.join(self.operations_per_s)}, not for {dtype}; must be a .toml "
                "file that does"
            )
        return self.operations_per_s[dtype]

    @model_validator(mode="after")
    def _in_order(self) -> "Sheet":
        for field in ("launch_s", "kernel_s", "reached"):
            low, high = getattr(self, field)
            if low > high:
                raise ValueError(f"{field} = {[low, high]}: must be [lowest, highest]")
        for dtype in ("float32", "float64"):
            if dtype not in self.operations_per_s:
                raise ValueError(f"operations_per_s: {dtype} is missing")
        return self


def load_sheet(text: str) -> Sheet:
    """Read a data sheet that ships with the package, by name, or a file.

    Raises:
        InputError: naming the field, its value and what is allowed.
    """
    if text not in SHEETS and not text.endswith(".toml"):
        allowed = ", ".join(SHEETS) + near(text, SHEETS)
        raise InputError(f"device = {text!r}: must be a .toml file or one of {allowed}")
    shipped = files("crossover.predict").joinpath("sheets", f"{text}.toml")
    with refusing("device", text):
        if text in SHEETS:
            content = shipped.read_text("utf-8")
        else:
            content = read_text(Path(text), pipe=True)
        return Sheet.model_validate(parse_toml(content))
