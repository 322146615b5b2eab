"""What is asked of a table: which column holds what, and who is compared."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    """What somebody says of a table; the rest is found out (`roles`)."""

    axis: str | None = None
    time: str | None = None
    contender: str | None = None
    baseline: str | None = None
    challengers: tuple[str, ...] = ()
    round: str | None = None
    by: tuple[str, ...] = ()
    pool: tuple[str, ...] = ()
    higher_is_better: bool | None = None
    wide: tuple[str, ...] = ()
    """Columns of times, each named as who took them."""
    decimal: str | None = None
    """The decimal mark, a point or a comma; None: the table tells."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the table is said to have."""
        named = (self.axis, self.time, self.contender, self.round)
        return (*filter(None, named), *self.by, *self.pool, *self.wide)


@dataclass(frozen=True)
class TableAsk:
    """Which column holds what, and which two contenders to compare."""

    axis: str
    time: str
    contender: str
    baseline: str
    challenger: str
    round: str | None = None
    """The column of rounds, in each of which the contenders took turns; None: none."""
    by: tuple[str, ...] = ()
    pool: tuple[str, ...] = ()
    """Columns whose values may differ between repetitions of one measurement."""
    higher_is_better: bool | None = None
    """Whether `time` is a rate; None: decided by its name."""
    decimal: str | None = None
    """The decimal mark, a point or a comma; None: the table tells."""

    @property
    def cell(self) -> tuple[str, ...]:
        """The columns that say what was measured: group, size and contender."""
        return (*self.by, self.axis, self.contender)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is asked for and read."""
        rounds = (self.round,) if self.round is not None else ()
        return (self.axis, self.time, self.contender, *rounds, *self.by)
