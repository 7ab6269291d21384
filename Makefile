# Every target sets itself up in .venv; `make test PYTHON=python3.12` chooses the interpreter for it.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo test check

# Words to labels to datasets on drawn videos with the embedded models: minutes, no network.
demo: $(INSTALLED)
	$(BIN)/autolabel demo --out demo

# A process per logical core, up to four, each with one thread; a file's tests stay together, for they share what is
# made once.
test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(INSTALLED): pyproject.toml tests/requirements-no-deps.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[dev]'
	$(BIN)/pip install --quiet --no-deps --requirement tests/requirements-no-deps.txt
	touch $@
