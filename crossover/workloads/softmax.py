"""The reference workload, softmax regression: all that the engine knows of it.

`SOFTMAX` is its declaration; `Softmax` turns the engine's cases into those of
`softmax_core`, counts their work and trains them. torch is loaded only for training.
"""

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crossover.nouns import Case
from crossover.workloads.definition import DeviceWork, WrongResult
from crossover.workloads.values import Setting, Size, Value
from crossover.workloads.workload import Implementation, Workload
from softmax_core import case as core
from softmax_core.registry import TRAINERS

if TYPE_CHECKING:
    from softmax_core import training as core_training

VALUE_S = 1.5e-9
"""Rough seconds that a core needs for one value, only to foretell durations."""
SHAPE = "features", "classes"
"""Sizes that make the learning rate stable or not."""
RATED = (*SHAPE, "dispersion")
"""The arguments of `stable_learning_rate`."""
_USUAL = core.Case()
SOFTMAX = Workload(
    name="softmax",
    sizes=(
        Size(
            "samples", 1500, "n", "number of samples", "sample", "samples",
            at_least="classes",
        ),
        Size("features", 2, "d", "number of features", "feature", "features"),
        Size("classes", 3, "c", "number of classes", "class", "classes", least=2),
        Size(
            "batch_size", 10, "b", "batch size", "a batch", "a batch", head="Batch",
            label="batch size (samples)", most="samples",
        ),
        Size(
            "epochs", 1, "e", "number of epochs", "epoch", "epochs", repeats=True
        ),
    ),
    settings=(
        Setting("learning_rate", _USUAL.learning_rate, "lr", least=1e-12),
        Setting("momentum", _USUAL.momentum, "m", least=0.0, below=1.0),
        Setting("dispersion", _USUAL.dispersion, "g", least=(-1e9, 1e-9)),
        Setting("dtype", _USUAL.dtype, choices=core.DTYPES),
        Setting("seed", _USUAL.seed, "s", least=0, below=2**63),
    ),
    costs=("step", "row"),
    shape=("features", "classes", "dtype", "momentum"),
    implementations=(
        Implementation("resident"),
        *(
            Implementation(name, trainer.only_on, trainer.is_ranked)
            for name, trainer in TRAINERS.items()
            if name != "resident"
        ),
    ),
)  # fmt: skip
"""The declaration. A batch larger than the data holds all of the data."""

COPIES = 2
"""Copies to the device: features and labels are moved one after the other."""
AA_CASE = SOFTMAX.case(batch_size=100)
"""The case that the doctor measures twice."""


def typed(case: Case) -> core.Case:
    """Return a case as one of `softmax_core`.

    Raises:
        ValueError: naming the field, its value and what is allowed.
    """
    return core.Case(**dict(case.values))  # type: ignore[arg-type]


class Softmax:
    """The code of the workload; see `Definition`."""

    declared = SOFTMAX

    def work(self, case: Case) -> dict[str, float]:
        """See `Definition`: steps and rows of all epochs, bytes of one move."""
        one = typed(case)
        return {
            "step": one.epochs * one.steps_per_epoch,
            "row": one.epochs * one.samples,
            "byte": one.data_bytes,
        }

    def expected_s(self, case: Case, implementation: str) -> float:
        """See `Definition`."""
        one, trainer = typed(case), TRAINERS.get(implementation, TRAINERS["resident"])
        row_s = trainer.row_s + one.features * VALUE_S
        steps_s = one.steps_per_epoch * trainer.step_s
        return one.epochs * (steps_s + one.samples * row_s)

    def eased(
        self, sweep: Mapping[str, Any], given: Container[str]
    ) -> dict[str, Value]:
        """See `Definition`: return a learning rate that is stable at every size.

        It is returned only if the user chose features or classes. All sizes of a sweep
        have the same rate, so that the search can add sizes between them.
        """
        if not any(name in given for name in SHAPE):
            return {}
        fixed = {name: sweep[name] for name in RATED if name in sweep}
        axis, along = sweep["axis"], [fixed]
        if axis in SHAPE:
            along = [{**fixed, axis: size} for size in sweep["values"]]
        rates = (core.stable_learning_rate(**shape) for shape in along)
        asked = sweep.get("learning_rate", _USUAL.learning_rate)
        return {"learning_rate": min(asked, *rates)}

    def session(
        self, case: Case, implementation: str, device: str, threads: int | None,
        ranks: int,
    ) -> "TrainingSession":  # fmt: skip
        """See `Definition`."""
        return TrainingSession(typed(case), implementation, device, threads, ranks)

    def first_use(self, implementation: str, device: str, ranks: int) -> None:
        """See `Definition`."""
        session = TrainingSession(core.SMALLEST, implementation, device, None, ranks)
        session.build()
        session.run(1)
        session.synchronize()

    def unavailable(self, implementation: str, device: str, ranks: int) -> str | None:
        """See `Definition`."""
        from softmax_core.device import parse_device
        from softmax_core.training import cannot_train

        return cannot_train(implementation, parse_device(device), ranks)

    def launches_per_step(
        self, case: Case, implementation: str, ranks: int
    ) -> float | None:
        """See `Definition`."""
        from softmax_core.launches import count_launches

        return count_launches(implementation, typed(case), ranks).per_step

    def count(self, implementation: str, cases: Sequence[Case]) -> list[DeviceWork]:
        """See `Definition`; cases of one shape are counted once."""
        from softmax_core.work import count_work

        shapes = {SOFTMAX.shape_of(case): typed(case) for case in cases}
        works = {shape: count_work(implementation, c) for shape, c in shapes.items()}
        return [
            DeviceWork(
                *works[SOFTMAX.shape_of(case)].of(one),
                dtype=one.dtype,
                copies=COPIES,
                moved_bytes=one.data_bytes,
            )
            for case, one in zip(cases, map(typed, cases), strict=True)
        ]


class TrainingSession:
    """A training by one trainer; see `Session`."""

    def __init__(
        self, case: core.Case, trainer: str, device: str, threads: int | None,
        ranks: int,
    ) -> None:  # fmt: skip
        from softmax_core import get_trainer, make_data
        from softmax_core.device import parse_device

        self._case, self._threads = case, threads
        self._device = parse_device(device)
        self._trainer = get_trainer(trainer, ranks)
        self._data = make_data(case)
        # A trainer that streams moves the data itself, in every epoch.
        self._target = "cpu" if self._trainer.streams else self._device
        self._moved = self._data

    def move(self) -> None:
        """See `Session`; a trainer that streams moves the data while it trains."""
        self._moved = self._data.to(self._target)

    def build(self) -> None:
        """See `Session`."""
        self._session = self._prepare(None)
        self.notes = self._session.notes
        self.own_threads = getattr(self._session, "threads", None)
        self.processes = tuple(map(str, getattr(self._session, "processes", ())))

    def _prepare(self, drawn_on: str | None) -> "core_training.Session":
        return self._trainer.prepare(
            self._case, self._moved, self._device, self._threads, drawn_on
        )

    def reset(self) -> None:
        """See `Session`: the initial weights."""
        self._session.reset()

    def run(self, repeats: int) -> None:
        """See `Session`: a repeat is an epoch."""
        self._session.train(repeats)

    def synchronize(self) -> None:
        """See `Session`."""
        from softmax_core.device import synchronize

        synchronize(self._device)

    def prove(self) -> None:
        """See `Session`: some trainers can show that they did what they are called."""
        getattr(self._session, "prove", lambda: None)()

    def verify(self, repeats: int) -> tuple[float, float]:
        """See `Session`: compare the weights with the float64 reference's.

        The loss is reached in the reference's order of batches, drawn on the CPU, so
        that it can be compared with the other contenders' losses.
        """
        from softmax_core import TOLERANCE, disagreement, evaluate

        off = disagreement(self._trainer, self._case, self._device, self._threads)
        if not off <= TOLERANCE[self._case.dtype]:
            raise WrongResult(
                f"weights differ from the reference's by {off:.3g} of the largest, "
                f"more than {TOLERANCE[self._case.dtype]:g}"
            )
        session = self._prepare("cpu")
        session.train(repeats)
        return evaluate(*session.weights(), self._data)
