"""Contenders as people name them: `one thread`, `the GPU`.

In: names as they are typed. Out: subjects of sentences.
"""

from dataclasses import dataclass

from crossover.contender import BEST, Contender

COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
DEVICES = {"cpu": "the CPU", "cuda": "the GPU", "mps": "the GPU", "xpu": "the GPU"}


@dataclass(frozen=True)
class Name:
    """A contender as the subject of a sentence."""

    text: str
    plural: bool = False

    @property
    def are(self) -> str:
        """The verb that goes with it."""
        return "are" if self.plural else "is"

    @property
    def do(self) -> str:
        """The verb that goes with it."""
        return "do" if self.plural else "does"


def name(contender: str) -> str:
    """Write a contender as it is typed; `best` on a device is the fastest there."""
    return contender.replace(f"/{BEST}", "'s best")


def people(baseline: str, challenger: str) -> tuple[Name, Name]:
    """Name a pair as people would, by what differs: `one thread`, `two threads`."""
    try:
        a, b = Contender.parse(baseline), Contender.parse(challenger)
    except ValueError:  # a name that somebody wrote into the file by hand
        return Name(name(baseline)), Name(name(challenger))
    if a.copy or b.copy:
        return Name(baseline), Name(challenger)
    alike = a.device == b.device and a.trainer == b.trainer
    if alike and a.threads and b.threads and a.ranks == b.ranks:
        return _counted(a.threads, "thread"), _counted(b.threads, "thread")
    if alike and a.threads == b.threads:
        return _counted(a.ranks, "rank"), _counted(b.ranks, "rank")
    return _named(a, b), _named(b, a)


def _counted(count: int, what: str) -> Name:
    word = COUNTS[count] if count < len(COUNTS) else f"{count:,}"
    return Name(f"{word} {what}{'s' if count > 1 else ''}", count > 1)


def _named(one: Contender, other: Contender) -> Name:
    kind, _, index = one.device.partition(":")
    device = DEVICES.get(kind, f"the device {kind}")
    if other.device.partition(":")[0] == kind and one.device != other.device:
        device += f" {index or 0}"
    threads = ""
    if one.threads and (one.ranks, one.threads) != (other.ranks, other.threads):
        each = f"{_counted(one.ranks, 'rank').text} of " if one.ranks > 1 else ""
        threads = f" with {each}{_counted(one.threads, 'thread').text}"
    if one.trainer == BEST:
        return Name(f"the best on {device}{threads}")
    if one.device == other.device:
        return Name(f"the {one.trainer} code{threads}")
    code = f" running the {one.trainer} code" if one.trainer != other.trainer else ""
    return Name(f"{device}{code}{threads}")
