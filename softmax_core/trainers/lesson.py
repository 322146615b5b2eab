"""The lesson's library loop: DataLoader over device-resident tensors, nn.Linear."""

from collections.abc import Iterator

from torch.utils.data import DataLoader, Sampler, TensorDataset

from softmax_core.data import BatchOrder, Data
from softmax_core.trainers.module import ModuleSession
from softmax_core.training import Trainer


class LessonSession(ModuleSession):
    """Indexes row after row in Python and stacks them, as DataLoader does."""

    def build(self, data: Data) -> None:
        """Build the model and the DataLoader."""
        super().build(data)
        dataset = TensorDataset(self.data.X, self.data.y.reshape(-1, 1))
        sampler = _EpochSampler(self.order, self.case.samples)
        size = self.case.batch_size
        self.batches = DataLoader(dataset, batch_size=size, sampler=sampler)

    def train(self, epochs: int) -> None:
        """Train further epochs; may return before the device is done."""
        for _ in range(epochs):
            for X, y in self.batches:
                self.step(X, y.flatten().long())


class _EpochSampler(Sampler[int]):
    """Shuffles as shuffle=True does, but by our `BatchOrder`.

    torch's RandomSampler draws from its generator more than once an epoch, so other
    trainers could not follow its order.
    """

    def __init__(self, order: BatchOrder, samples: int) -> None:
        self._order = order
        self._samples = samples

    def __iter__(self) -> Iterator[int]:
        yield from self._order.next_epoch().tolist()

    def __len__(self) -> int:
        return self._samples


class LessonTrainer(Trainer):
    """The lesson's `fit(net, criterion, optimizer, batchdata, epochs)`."""

    session = LessonSession
