# Two commands do it all on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check test-all bench
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM = false

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e '.[dev,trackers]'
	touch $(READY)

demo: $(READY)
	$(BIN)/metier run medical --profile demo

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m 'not slow and not long' -n 2

# A thread a process: two workers and the processes that they start share the cores.
check test test-all: export OMP_NUM_THREADS = 1

test: $(READY)
	bash tools/system_packages.sh
	$(BIN)/python -m pytest -m 'not long' -n 2

test-all: $(READY)
	bash tools/system_packages.sh
	$(BIN)/python -m pytest -n 2

bench: $(READY)
	for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script; done
