# `make demo` and `make test` do all the set-up on a machine that has Python 3.11 or newer, its venv module, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test docs lint bench bench-server bench-stores clean

# Installed anew whenever the dependencies may have changed; the stamp is newer than the project file otherwise.
$(VENV)/.%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	touch $@

demo: $(VENV)/.examples
	$(BIN)/python -m examples

test: $(VENV)/.test lint
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --cov --cov-report term

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet docs docs/_build/html

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.overhead

bench-server: $(VENV)/.bench
	$(BIN)/python -m benchmarks.server_side

# Needs the servers, and the kit of the tests that starts them. Five minutes.
bench-stores: $(VENV)/.test
	$(BIN)/python -m benchmarks.stores
	$(BIN)/python -m benchmarks.stores --throughput
	$(BIN)/python -m benchmarks.stores --bytes

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
