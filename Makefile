# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
# Some images set it. Dozens of processes begin in a run: what one has compiled, the next must not compile again.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
RUN := $(VENV)/bin
PIP := $(RUN)/python -m pip --disable-pip-version-check install --quiet --require-hashes
UV ?= uv
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
MESSAGES := $(patsubst %.po,%.mo,$(wildcard src/comity/console/locale/*/LC_MESSAGES/django.po))
RUNS ?= 100000
ROOMS_WITH_TABLES := tests/staff tests/intake tests/registers tests/ledger tests/agreements tests/exchange tests/risk tests/enforcement tests/custody tests/operations tests/insight tests/journeys tests/torture

# What torture takes: make torture MESSAGES=50000 DATABASE=postgresql SEED=7
MESSAGES ?= 1000000
DATABASE ?= sqlite
SEED ?= 1

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo demo-check test test-long test-sqlite test-postgresql check format fuzz bench lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

$(RUN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(RUN)/python
	$(PIP) -r requirements.txt
	$(RUN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(PIP) -r requirements-dev.txt
	touch $@

%.mo: %.po $(VENV)/.installed
	$(RUN)/pybabel --quiet compile --input-file $< --output-file $@ --locale $(notdir $(patsubst %/LC_MESSAGES/,%,$(dir $<)))

install: $(VENV)/.installed $(MESSAGES) ## what running a node needs, into .venv

install-dev: $(VENV)/.installed-dev $(MESSAGES) ## what developing needs, into .venv

demo: install ## three administrations on this machine; serves until Ctrl-C
	@$(RUN)/comity demo

demo-check: install ## the same without a browser; asserts the outcome, exits 0 or 1
	@$(RUN)/comity demo --check

test: test-sqlite test-postgresql ## the tests, on SQLite and, where it is installed, on PostgreSQL

test-long: ## the same with all that takes minutes: every scenario, mutant, large file and fuzzed input
	COMITY_TESTS=long $(MAKE) test

test-sqlite: install-dev
	$(RUN)/python -m pytest -n auto --dist worksteal tests

test-postgresql: install-dev
	$(RUN)/python -m tests.postgresql $(RUN)/python -m pytest -n auto --dist worksteal -m "not browser and not shared" -k "not sqlite" $(ROOMS_WITH_TABLES)

check: install-dev ## format, lint, types, floors, sizes, docs; quick and offline
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports --no-cache
	$(RUN)/python -m pytest -q tests/house tests/common

format: install-dev ## put the code in form
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

fuzz: install-dev ## parsers under coverage-guided fuzzing: make fuzz RUNS=1000000
	$(RUN)/python -m tests.fuzz all --runs $(RUNS)

bench: install-dev ## every benchmark, one after the other
	@for script in benchmarks/*.py; do echo "== $$script"; $(RUN)/python $$script || exit 1; done

torture-short: install-dev ## five nodes, kill -9 and partitions; under a minute, the last line is the figures
	@$(RUN)/python -m tests.torture --messages 3000 --kills 4 --partitions 3 --seed $(SEED) --database $(DATABASE)

torture: install-dev ## the same for MESSAGES=1000000 on DATABASE=sqlite or postgresql
	@$(RUN)/python -m tests.torture --messages $(MESSAGES) --kills $$(( $(MESSAGES) / 10000 + 4 )) \
		--partitions $$(( $(MESSAGES) / 25000 + 3 )) --patience 3600 --seed $(SEED) --database $(DATABASE)

lock: ## write requirements*.txt anew (needs uv)
	$(LOCK) pyproject.toml --extra postgresql --extra learning --group build -o requirements.txt
	$(LOCK) pyproject.toml --extra postgresql --extra learning --group dev -o requirements-dev.txt
	sed -i '1i # Written by `make lock`; pinned and hashed, installed by plain pip.' requirements.txt requirements-dev.txt

clean: ## everything that was made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -prune -exec rm -rf {} +
