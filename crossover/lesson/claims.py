"""What the lesson published, and the row that compares a measured value with it."""

from dataclasses import dataclass

EXACT = 5e-5
"""Half of the fourth decimal, the last one printed."""
SHUFFLE = 0.02
"""The lesson does not seed its shuffles, so accuracies differ by about this much."""


@dataclass(frozen=True)
class Row:
    """One line of the table; `ok` is yes, NO, not checked, or not measured: why."""

    experiment: str
    what: str
    published: str
    measured: str
    tolerance: str
    ok: str


def unjudged(
    experiment: str, what: str, measured: str, why: str = "", says: str = "no figure"
) -> Row:
    """Return a row of which nothing is decided; with a reason, nothing was measured."""
    ok = f"not measured: {why}" if why else "not checked"
    return Row(experiment, what, says, "" if why else measured, "", ok)


@dataclass(frozen=True)
class Claim:
    """Numbers that the lesson printed, and how near the measured ones must be."""

    experiment: str
    what: str
    published: tuple[float, ...]
    tolerance: float = EXACT
    kind: str = "absolute"
    """`absolute`; `relative` (a share of each number); `range`: published are the
    lowest and highest, and the measured ones must lie between them."""
    says: str = ""
    """The lesson's words, where it printed no numbers."""

    def holds(self, measured: tuple[float, ...]) -> bool:
        """Tell whether the measured numbers are within the tolerance."""
        slack = self.tolerance * (1 + 1e-6)  # the decimals printed are not binary
        if self.kind == "range":
            low, high = self.published
            return min(measured) >= low - slack and max(measured) <= high + slack
        return len(measured) == len(self.published) and all(
            abs(m - p) <= slack * (abs(p) if self.kind == "relative" else 1)
            for m, p in zip(measured, self.published, strict=True)
        )

    def row(self, measured: tuple[float, ...]) -> Row:
        """Compare, and say so in words."""
        return Row(
            self.experiment,
            self.what,
            self.says or self._text(self.published),
            self._text(measured),
            self._tolerance_text(),
            "yes" if self.holds(measured) else "NO",
        )

    def _text(self, numbers: tuple[float, ...]) -> str:
        form = ".5g" if self.kind == "relative" else ".4f"
        if 0 < self.tolerance < EXACT:
            form = ".1g"
        joint = " to " if self.kind == "range" else " "
        return joint.join(f"{number:{form}}" for number in numbers)

    def _tolerance_text(self) -> str:
        if self.kind == "relative":
            return "5 digits"
        if self.kind == "range":
            if self.tolerance:
                return f"within it, +-{self.tolerance:g}"
            return f"within {self._text(self.published)}"
        if self.tolerance == EXACT:
            return "exact to 4 decimals"
        return f"+-{self.tolerance:g}"


def _near(
    experiment: str, what: str, *published: float, kind: str = "absolute"
) -> Claim:
    return Claim(experiment, what, published, SHUFFLE, kind)


def _high(experiment: str, what: str) -> Claim:
    """Read the lesson's word "high" as 0.9 or more; it gives no number."""
    return Claim(experiment, what, (0.9, 1.0), 0.0, "range", "all high")


CLAIMS = (
    Claim("worked", "data [6, 2] with bias, row 1", (-6.0141, -4.9911, 1)),
    Claim("worked", "data [6, 2] with bias, row 2", (-4.6593, -6.7657, 1)),
    Claim("worked", "data [6, 2] with bias, row 3", (-5.9395, -5.2347, 1)),
    Claim("worked", "data [6, 2] with bias, last row", (4.9705, 3.1236, 1)),
    Claim("worked", "data [6, 4], row 1", (-6.0282, -3.9822)),
    Claim("worked", "X @ w, row 1", (-8.9733, -18.9785, -28.9837)),
    Claim(
        "worked", "softmax, row 1", (0.99995, 4.5163e-05, 2.0398e-09), EXACT, "relative"
    ),
    Claim(
        "worked", "softmax, row 8", (0.98594, 1.3869e-02, 1.9509e-04), EXACT, "relative"
    ),
    Claim("worked", "softmax less F.softmax, at most", (0.0,), 1e-6),
    Claim("worked", "cross-entropy of two rows, three ways", (0.7136,) * 3),
    Claim("worked", "cross-entropy of ten rows, two ways", (0.0021,) * 2),
    _near("manual", "accuracy after epoch 1", 0.8207),
    _near("manual", "accuracy after epoch 2", 0.9427),
    _near("manual", "accuracy after epoch 3", 0.9567),
    Claim("convergence", "accuracy, round 0", (0.4473,)),
    _near("convergence", "accuracy, round 1", 0.8220),
    _near("convergence", "accuracy, round 2", 0.9547),
    _near("convergence", "accuracy, round 3", 0.9653),
    _near("convergence", "accuracy, rounds 4 to 19", 0.967, 0.971, kind="range"),
    _high("inits", "accuracy of 10 starts after epoch 5"),
    _high("inits", "accuracy of 10 starts after epoch 10"),
    _near("library", "loss after epoch 3", 0.1668),
    _near("library", "accuracy after epoch 3", 0.9620),
    Claim(
        "library-convergence", "accuracy, rounds 4 to 19", (0.97, 0.97), SHUFFLE,
        "range", "about 0.97",
    ),
    Claim("hard", "accuracy, round 0", (0.1420,)),
    _near("hard", "accuracy, round 1", 0.7607),
    _near("hard", "accuracy, rounds 2 to 19", 0.78, 0.805, kind="range"),
    _near(
        "hard-inits", "accuracy of 10 starts after epoch 10", 0.7873, 0.8, kind="range"
    ),
)  # fmt: skip
