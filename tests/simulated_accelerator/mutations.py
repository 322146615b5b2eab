"""Bugs that break measurements on accelerators, each with the test that catches it.

    pytest -m mutations

puts each into a copy of the packages, and the named test must fail there.
"""

from dataclasses import dataclass

MEASURING, RUNS = "tests/test_simulated_measuring.py", "tests/test_simulated_runs.py"
TRAINERS = "tests/test_simulated_trainers.py"


@dataclass(frozen=True)
class Mutation:
    """`old` of a file becomes `new`; `test` must notice."""

    name: str
    file: str
    old: str
    new: str
    test: str

    def apply(self, root):
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        assert text.count(self.old) == 1, f"{self.file} has changed: {self.old!r}"
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


CLOCK = f"{MEASURING}::test_the_clock_is_read_only_when_the_queue_is_empty"
MUTATIONS = (
    Mutation(
        "remove the end synchronise",
        "crossover/measure/clock.py",
        "    work()\n    synchronize()\n",
        "    work()\n",
        CLOCK,
    ),
    Mutation(
        "remove the start synchronise",
        "crossover/measure/clock.py",
        "    synchronize()\n    start = now()\n",
        "    start = now()\n",
        CLOCK,
    ),
    Mutation(
        "do not wait for a user's step",
        "crossover/workloads/user_session.py",
        "            synchronize(parse_device(self._device))\n",
        "            pass\n",
        "tests/test_simulated_user.py"
        "::test_a_step_that_leaves_its_work_queued_is_timed_to_its_end",
    ),
    Mutation(
        "leave X on the CPU",
        "softmax_core/trainers/module.py",
        "self.data = data.to(self.device)",
        "self.data = Data(data.X, data.y.to(self.device))",
        f"{TRAINERS}::test_data_weights_and_gradients_are_on_the_device",
    ),
    Mutation(
        "read the loss in every step",
        "softmax_core/trainers/module.py",
        "loss = self.criterion(self.model(X), y)\n",
        "loss = self.criterion(self.model(X), y)\n        loss.item()\n",
        f"{TRAINERS}::test_an_epoch_copies_no_features[resident]",
    ),
    Mutation(
        "copy the data in every epoch",
        "softmax_core/trainers/resident.py",
        "order = self.order.next_epoch()\n",
        "order = self.order.next_epoch()\n"
        "            self.data.to('cpu').to(self.device)\n",
        f"{TRAINERS}::test_an_epoch_copies_no_features[resident]",
    ),
    Mutation(
        "count the transfer as training",
        "crossover/measure/sampler.py",
        "        for _ in range(self.calls):\n",
        "        self.move()\n        for _ in range(self.calls):\n",
        f"{MEASURING}::test_a_sample_is_the_work_and_no_copy",
    ),
    Mutation(
        "forget the warm-up",
        "crossover/measure/sampler.py",
        "first_s = self._measured(lambda: self._session.run(1))",
        "first_s = 0.0",
        f"{MEASURING}::test_the_first_call_is_set_up_and_not_a_sample",
    ),
    Mutation(
        "start the device outside the clock",
        "crossover/measure/worker.py",
        "            start = time.perf_counter()\n",
        "            synchronize(device)\n            start = time.perf_counter()\n",
        f"{MEASURING}::test_the_context_is_set_up",
    ),
    Mutation(
        "swallow what is out of memory",
        "crossover/measure/worker.py",
        'return Ended(status="oom", notes=first_line(error))',
        'return Ended(status="failed", notes=first_line(error))',
        f"{RUNS}::test_out_of_memory_is_a_result_and_the_sweep_goes_on",
    ),
    Mutation(
        "go on with a lost device",
        "crossover/measure/worker.py",
        '"RankLost") or worker.lost_device():',
        '"RankLost"):',
        f"{RUNS}::test_a_fault_is_recorded_and_the_sweep_goes_on[lost]",
    ),
    Mutation(
        "leak a tensor in every epoch",
        "softmax_core/trainers/resident.py",
        "order = self.order.next_epoch()\n",
        "order = self.order.next_epoch()\n"
        "            self.__dict__.setdefault('kept', []).append(order)\n",
        f"{TRAINERS}::test_memory_does_not_grow_and_returns[resident]",
    ),
)
