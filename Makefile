# `make demo` and `make test` do all the set-up on a machine that has Python 3.11 or newer, its venv module, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo quick test test-local test-wheel test-minimum test-pythons docs tables map drawings pictures lint types bench bench-cookie bench-server bench-stores campaigns soak count clean

# Installed anew whenever the dependencies may have changed; the stamp is newer than the project file otherwise.
$(VENV)/.%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	touch $@

# A make variable, so that a PORT of the environment, which is for something else, does not count.
demo: PORT := 8080
demo: $(VENV)/.examples
	$(BIN)/python -m examples --port $(PORT)

# The loop while you write: what needs no process, no port, no server, no browser and no page, with few examples.
quick: lint
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m quick --hypothesis-profile quick

# Everything that needs neither a database server nor a browser.
test-local: lint
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not servers and not browser"

test: lint
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --cov --cov-report term

# The suite against the built wheel: in a folder without the sources, and an environment that has the wheel instead.
# Without the tests that start servers and browsers, and with few examples: `make test` has all of that on the sources.
test-wheel: $(VENV)/.test
	rm -rf build/wheel
	$(BIN)/python -m build --no-isolation --outdir build/wheel . >/dev/null
	$(BIN)/python -m venv --without-pip build/wheel/venv
	$(BIN)/python -c "import site; print(site.getsitepackages()[0])" > build/wheel/venv/lib/$$(ls build/wheel/venv/lib)/site-packages/others.pth
	$(BIN)/python -m pip --python build/wheel/venv/bin/python install --quiet --no-deps build/wheel/*.whl
	mkdir build/wheel/project
	cp -r tests examples benchmarks campaigns docs pyproject.toml Makefile LICENSE *.md build/wheel/project
	cd build/wheel/project && ../venv/bin/python -m pytest --numprocesses auto --dist worksteal --ignore tests/servers -m "not servers and not browser" --hypothesis-profile quick

# The core's and the adapters' tests with the oldest versions that the package says it works with.
test-minimum: $(VENV)/.test
	rm -rf build/minimum
	$(PYTHON) -m venv build/minimum
	cd tests && PYTHONPATH=.. ../$(BIN)/python -m kit.minimum > ../build/minimum/constraints.txt
	build/minimum/bin/python -m pip install --quiet --disable-pip-version-check --constraint build/minimum/constraints.txt --editable ".[test-quick]"
	build/minimum/bin/python -m pytest --numprocesses auto --dist worksteal -m quick --hypothesis-profile quick tests/core tests/adapters tests/readers

# The quick tests and the store contract by every other Python that it claims and that is installed.
test-pythons: $(VENV)/.test
	cd tests && PYTHONPATH=.. ../$(BIN)/python -m kit.pythons

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx --builder html --fresh-env --write-all --fail-on-warning --keep-going --quiet docs docs/_build/html
	@echo "The pages are in docs/_build/html: open file://$(CURDIR)/docs/_build/html/index.html"

# The tables of docs/settings.md, after a setting, its type or its docstring has changed.
tables: $(VENV)/.test
	cd tests && PYTHONPATH=.. ../$(BIN)/python -m docs.settings_page

# The lists, tables and drawings of docs/architecture.md, after the code has changed.
map: $(VENV)/.test
	cd tests && PYTHONPATH=.. ../$(BIN)/python -m docs.architecture_page

# The drawings of docs/images that are made from data, after tests/docs/drawings.py has changed.
drawings: $(VENV)/.test
	cd tests && PYTHONPATH=.. ../$(BIN)/python -m docs.drawings

# The screenshots in README and docs. Needs /usr/bin/chromium, and a font with Chinese characters.
pictures: $(VENV)/.test
	cd tests && PYTHONPATH=.. ../$(BIN)/python -m browser.pictures

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Pyright's opinion of what `from cookiesess import …` offers: whether any type below it is unknown, or a guess.
types: $(VENV)/.types
	cd tests && PYTHONPATH=.. ../$(BIN)/python -m kit.verified_types

# All that docs/speed.md shows, in one run of three minutes; `make bench BENCH=--write` puts it there.
bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.deployed $(BENCH)

bench-cookie: $(VENV)/.bench
	$(BIN)/python -m benchmarks.overhead

bench-server: $(VENV)/.bench
	$(BIN)/python -m benchmarks.server_side

# Needs the servers, and the kit of the tests that starts them. Twenty minutes.
bench-stores: $(VENV)/.test
	$(BIN)/python -m benchmarks.stores
	$(BIN)/python -m benchmarks.stores --throughput
	$(BIN)/python -m benchmarks.stores --bytes
	$(BIN)/python -m benchmarks.redis_commands
	$(BIN)/python -m benchmarks.crowds

# Breaks each engine in each way while visitors go on: a minute each. `make campaigns CAMPAIGNS="--seconds 15 redis"`.
campaigns: $(VENV)/.test
	$(BIN)/python -m campaigns $(CAMPAIGNS)

# Whether 300,000 requests of each backend leave anything behind in memory. Half an hour.
soak: $(VENV)/.test
	$(BIN)/python -m benchmarks.soak

# Needs valgrind, and some minutes. `make count COUNT=--check` fails where a row got worse, `COUNT=--record` keeps all.
count: $(VENV)/.test
	$(BIN)/python -m benchmarks.instructions $(COUNT)

clean:
	rm -rf $(VENV) build docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
