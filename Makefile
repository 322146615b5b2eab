# Each target sets up .venv by itself, and repeats nothing that is done already.
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
# The index to take torch from; if empty, install.py chooses by NVIDIA's driver. Without a
# GPU, https://download.pytorch.org/whl/cpu saves gigabytes.
TORCH_INDEX ?=
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install crossover test slow check simulate mutations bench gpu-check peers
.PHONY: gate torture audit kernels kernels-all compiled-offline matrix

install: $(STAMP)

$(STAMP): pyproject.toml $(CONSTRAINTS) install.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "crossover needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python install.py --constraints $(CONSTRAINTS) --torch-index '$(TORCH_INDEX)'
	touch $@

# The main job: measure training on every device here, write results/quick-*/report.html.
crossover: $(STAMP)
	$(BIN)/crossover run || test $$? -eq 3  # 3: usable, and says what is missing

# Three processes run the tests, file by file: on two cores, as one of them mostly waits.
# Threads that wait must sleep: otherwise one process' threads keep the other's from the
# cores, and tests take eight times as long.
TESTS := OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n 3 --dist loadfile
test: $(STAMP)
	$(TESTS)

# Whole jobs that mostly wait: for a cluster, a simulated device, or a hanging process.
slow: $(STAMP)
	$(TESTS) -m slow

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(TESTS)

# The long simulations of the statistics: about twenty minutes.
simulate: $(STAMP)
	$(BIN)/python -m pytest -m simulation

# Put bugs into a copy of the packages; a named test must catch each. Two minutes.
mutations: $(STAMP)
	$(BIN)/python -m pytest -m mutations

# Measure the promises about speed, as ratios side by side in one run. Then run both
# suites on a few cells, and write a report from the results of each.
bench: $(STAMP)
	$(BIN)/python -m bench.promises.overhead
	$(BIN)/python -m bench.promises.fused
	$(BIN)/python -m bench.promises.search_against_grid
	$(BIN)/python -m bench.promises.against_itself
	$(BIN)/python -m bench.promises.merge
	mkdir -p .benchmarks
	$(BIN)/asv machine --yes
	CROSSOVER_SUITE=smoke $(BIN)/asv run 'HEAD^!' --bench time_ --record-samples --attribute rounds=1
	CROSSOVER_SUITE=smoke $(BIN)/python -m pytest --benchmark-only --benchmark-json=.benchmarks/smoke.json
	$(BIN)/crossover report --from-asv .asv/results --out results/asv
	$(BIN)/crossover report --from-pytest-benchmark .benchmarks/smoke.json --out results/pytest-benchmark

# Measure how often the gate of docs/ci.md fails on identical runs, and whether it finds a
# slowdown of 10 %: 20 pairs of each, forty minutes on a machine that does nothing else.
gate: $(STAMP)
	$(BIN)/python -m bench.promises.gate

# Check a machine with an accelerator, in seven minutes: docs/first_gpu_run.md.
gpu-check: $(STAMP)
	$(BIN)/python -m bench.promises.gpu_check

# Compare trainer fused with JAX, scikit-learn and torch, in an environment of its own:
# five minutes on one core. The tests of equal work come first. Exit 1: a bound is broken.
PEERS := .venv-peers/bin
PEERS_STAMP := .venv-peers/.installed
peers: $(PEERS_STAMP)
	$(PEERS)/python -m pytest tests/test_peers.py
	$(PEERS)/python -m bench.promises.peers --out results/peers

$(PEERS_STAMP): bench/promises/peers/requirements.txt pyproject.toml $(CONSTRAINTS)
	test -x $(PEERS)/python || $(PYTHON) -m venv .venv-peers
	$(PEERS)/python -m pip install --quiet --constraint $(CONSTRAINTS) --requirement bench/promises/peers/requirements.txt --editable .
	touch $@

# Compile the GPU's kernels for several architectures and run them on the CPU, without a
# GPU: numba-cuda and NVIDIA's compiler are in an environment beside .venv. A minute.
KERNELS := .venv-gpu/bin/python
KERNELS_STAMP := .venv-gpu/.installed
FOLDER := -c "import sysconfig; print(sysconfig.get_path('purelib'))"
kernels: $(KERNELS_STAMP)
	$(KERNELS) -m pytest tests/test_gpu_kernels.py

# Every plan for every architecture, and every case: docs/fused_cuda.md. Seven minutes.
kernels-all: $(KERNELS_STAMP)
	$(KERNELS) -m pytest tests/test_gpu_kernels.py -m 'simulation or not simulation'

$(KERNELS_STAMP): tests/gpu/requirements.txt $(STAMP)
	test -x $(KERNELS) || $(BIN)/python -m venv .venv-gpu
	echo "import site; site.addsitedir('$$($(BIN)/python $(FOLDER))')" > "$$($(KERNELS) $(FOLDER))/beside.pth"
	$(KERNELS) -m pip install --quiet --no-deps --requirement tests/gpu/requirements.txt
	touch $@

# Before a release: trainer compiled's code for an H100, and the launches in it, without a
# GPU. Torch for CUDA (=== is no build for the CPU) takes 5 GB beside .venv. Eight minutes.
OFFLINE := .venv-cuda/bin/python
OFFLINE_STAMP := .venv-cuda/.installed
compiled-offline: $(OFFLINE_STAMP)
	$(OFFLINE) -m bench.promises.compiled_offline

$(OFFLINE_STAMP): $(CONSTRAINTS) $(STAMP)
	test -x $(OFFLINE) || $(BIN)/python -m venv .venv-cuda
	echo "import site; site.addsitedir('$$($(BIN)/python $(FOLDER))')" > "$$($(OFFLINE) $(FOLDER))/beside.pth"
	$(OFFLINE) -m pip install --quiet "$$(sed -n 's/^torch==/torch===/p' $(CONSTRAINTS))"
	touch $@

# Hostile input and faults in full: every generated spec, every way for a worker to
# break, a run of 10,000 rounds, and ten minutes of fuzzing a reader.
torture: $(STAMP)
	$(BIN)/python -m pytest -m torture
	rm -rf results/soak
	$(BIN)/python -m bench.promises.soak --rounds 10000 --out results/soak
	$(BIN)/python -m pip install --quiet atheris==3.0.0
	for reader in run_directory asv pytest_benchmark foreign spec table options two_runs; do $(BIN)/python tests/fuzz/harness.py $$reader -max_total_time=600 || exit 1; done

# Install the wheel in clean environments of Python 3.11 to 3.13, with the oldest torch,
# the pinned one and none, and test it there: docs/install.md. Ten minutes.
matrix: $(STAMP)
	$(BIN)/python tests/matrix.py --torch-index '$(TORCH_INDEX)'

# Look for known vulnerabilities of the pins; this fails if the advisories do not answer.
audit: $(STAMP)
	test -x .venv-audit/bin/pip-audit || ($(PYTHON) -m venv .venv-audit && .venv-audit/bin/pip install --quiet pip-audit==2.10.1)
	.venv-audit/bin/pip-audit --strict --no-deps --disable-pip -r $(CONSTRAINTS)
