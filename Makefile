# `make demo` and `make test` do all the set-up on a machine that has Python 3.11 or newer, its venv module, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench bench-server clean

# Installed anew whenever the dependencies may have changed; the stamp is newer than the project file otherwise.
$(VENV)/.%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	touch $@

demo: $(VENV)/.examples
	$(BIN)/python -m examples

test: $(VENV)/.test lint
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --cov --cov-report term

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.overhead

bench-server: $(VENV)/.bench
	$(BIN)/python -m benchmarks.server_side

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
