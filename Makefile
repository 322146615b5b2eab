# Each target sets up .venv by itself; nothing is redone that is already there.
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install crossover test check simulate mutations bench

install: $(STAMP)

$(STAMP): pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "crossover needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[dev]'
	touch $@

# The main job: measure training on every device here, write results/quick-*/report.html.
crossover: $(STAMP)
	$(BIN)/crossover run

test: $(STAMP)
	$(BIN)/python -m pytest

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

# The long simulations of the statistics: about ten minutes.
simulate: $(STAMP)
	$(BIN)/python -m pytest -m simulation

# Bugs put into a copy of the packages, each of which a named test must catch: 2 minutes.
mutations: $(STAMP)
	$(BIN)/python -m pytest -m mutations

# What the promises about speed rest on: ratios measured side by side in one run. Then
# both suites on a few cells, and a report from what each of them kept.
bench: $(STAMP)
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/search_against_grid.py
	$(BIN)/python benchmarks/against_itself.py
	mkdir -p .benchmarks
	$(BIN)/asv machine --yes
	CROSSOVER_SUITE=smoke $(BIN)/asv run 'HEAD^!' --bench time_ --record-samples --attribute rounds=1
	CROSSOVER_SUITE=smoke $(BIN)/python -m pytest --benchmark-only --benchmark-json=.benchmarks/smoke.json
	$(BIN)/crossover report --from-asv .asv/results --out results/asv
	$(BIN)/crossover report --from-pytest-benchmark .benchmarks/smoke.json --out results/pytest-benchmark

# For whoever has an accelerator: docs/first_gpu_run.md.
gpu-check: $(STAMP)
	$(BIN)/python benchmarks/gpu_check.py
