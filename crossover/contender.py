"""Who does a job: a device, a trainer, threads and ranks, with its text form."""

import re
from dataclasses import dataclass

from crossover.files.untrusted import InputError

BEST = "best"
"""As a trainer, the name of the fastest one on a device."""

_CONTENDER = re.compile(
    r"(?P<device>[a-z][a-z0-9_]*(?::\d{1,4})?)(?:/(?P<trainer>[a-z][a-z0-9_]*))?"
    r"(?:@(?:(?P<ranks>\d{1,6})x)?(?P<threads>\d{1,6}))?(?:#(?P<copy>\d{1,6}))?",
    re.ASCII,
)


@dataclass(frozen=True, order=True)
class Contender:
    """How a case is trained; text form `DEVICE[/TRAINER][@[RANKSx]THREADS]`.

    Ranks are processes that share a training; each has `threads` threads. The A/A
    control measures a contender against a copy of itself in a process of its own; the
    copy's text form ends in `#1`.
    """

    device: str
    trainer: str = "resident"
    threads: int | None = None
    copy: int = 0
    ranks: int = 1

    @classmethod
    def parse(cls, text: str, usual: str = "resident") -> "Contender":
        """Read the text form.

        Args:
            text: the text form.
            usual: the trainer that is meant if the text names none.

        Raises:
            InputError: when the text has another form.
        """
        match = _CONTENDER.fullmatch(text)
        if match is None:
            raise InputError(
                f"contender = {text!r}: must be DEVICE[/TRAINER][@[RANKSx]THREADS], "
                "such as cpu/resident@1 or cuda:0/lesson"
            )
        return cls(
            match["device"],
            match["trainer"] or usual,
            int(match["threads"]) if match["threads"] else None,
            int(match["copy"] or 0),
            1 if match["ranks"] is None else int(match["ranks"]),
        )

    def covers(self, other: "Contender") -> bool:
        """Tell whether this contender, as named in a spec, matches a measured one.

        `best` matches any trainer; no thread count matches any. Copies and other
        devices never match.
        """
        any_ranks = self.threads is None and self.device == "cpu"
        return (
            self.device == other.device
            and self.trainer in (BEST, other.trainer)
            and self.threads in (None, other.threads)
            and (any_ranks or self.ranks == other.ranks)
            and self.copy == other.copy
        )

    def __str__(self) -> str:
        ranks = "" if self.ranks == 1 else f"{self.ranks}x"
        threads = "" if self.threads is None else f"@{ranks}{self.threads}"
        copy = f"#{self.copy}" if self.copy else ""
        return f"{self.device}/{self.trainer}{threads}{copy}"
