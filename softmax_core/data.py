"""The data of a case and the order of its batches, the same for every trainer."""

from dataclasses import dataclass

import torch
from torch import Tensor

from softmax_core.case import Case


@dataclass(frozen=True)
class Data:
    """X: (samples, features) float; y: (samples,) long, class numbers from 0."""

    X: Tensor
    y: Tensor

    def to(self, device: torch.device | str) -> "Data":
        """Return the data on `device`; data that is there already is not copied."""
        return Data(self.X.to(device), self.y.to(device))

    @property
    def nbytes(self) -> int:
        """Bytes that a transfer of this data moves."""
        return self.X.nbytes + self.y.nbytes


def class_features(
    rows: int,
    features: int,
    number: int,
    classes: int,
    dispersion: tuple[float, float],
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw the features (rows, features) of one Gaussian class.

    Class `number` has mean `number * mean - mean * (classes - 1) / 2` in every
    feature. Source: the lesson's tensorGenCla.
    """
    mean, std = dispersion
    centre = number * mean - mean * (classes - 1) / 2
    return torch.normal(
        float(centre), float(std), (rows, features), generator=generator
    )


def make_data(case: Case) -> Data:
    """Make the data of a case on the CPU: Gaussian classes, class after class.

    When the classes do not divide the samples, the first classes get one row more.
    """
    generator = torch.Generator().manual_seed(case.seed)
    rows, left = divmod(case.samples, case.classes)
    counts = [rows + (number < left) for number in range(case.classes)]
    X = torch.cat(
        [
            class_features(
                n, case.features, i, case.classes, case.dispersion, generator
            )
            for i, n in enumerate(counts)
        ]
    )
    y = torch.repeat_interleave(torch.arange(case.classes), torch.tensor(counts))
    return Data(X.to(getattr(torch, case.dtype)), y)


def initial_weights(case: Case) -> tuple[Tensor, Tensor]:
    """Draw W (features, classes) and b (classes,), uniform as nn.Linear does."""
    generator = torch.Generator().manual_seed(case.seed + 1)
    bound = case.features**-0.5
    drawn = torch.rand(case.features + 1, case.classes, generator=generator)
    drawn = ((2 * drawn - 1) * bound).to(getattr(torch, case.dtype))
    return drawn[:-1].contiguous(), drawn[-1].contiguous()


def batches(
    X: Tensor, y: Tensor, sizes: int | list[int]
) -> list[tuple[Tensor, Tensor]]:
    """Return batches as views; of one size, the last may be short."""
    return list(zip(torch.split(X, sizes), torch.split(y, sizes), strict=True))


class BatchOrder:
    """The permutation of each epoch: one seeded generator, one randperm an epoch.

    `drawn_on` is the generator's device. Equal work is verified with "cpu", which gives
    every trainer the same batches; in a timed training, a trainer may shuffle on its
    own device.
    """

    def __init__(
        self, case: Case, device: torch.device, drawn_on: torch.device | str
    ) -> None:
        self._case = case
        self._device = device
        self._generator = torch.Generator(drawn_on)
        self.restart()

    def restart(self) -> None:
        """Go back to the first epoch."""
        self._generator.manual_seed(self._case.seed + 2)

    def next_epoch(self) -> Tensor:
        """Return the next epoch's permutation, (samples,) long, on the device."""
        order = torch.randperm(
            self._case.samples,
            generator=self._generator,
            device=self._generator.device,
        )
        return order.to(self._device)
