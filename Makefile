# Every target is a line or two, is listed by `make help`, and works on a fresh clone.
.DEFAULT_GOAL := help
SHELL := bash

# The first of these that is there and is at least 3.11.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$name; break; fi; done)
BIN := .venv/bin
READY := .venv/.ready
JOBS ?= 2

.PHONY: help env check format lint types layers docs test property fault servers gpu bench coverage \
	demo fix reference changelog clean

help:  ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(READY)  ## create .venv with what development needs; again only after pyproject.toml changed

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: modelshelf needs Python 3.11 or newer"; \
		echo "hint: install it, or name it: make PYTHON=/path/to/python3.11"; exit 1; } >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "hint: the venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch $(READY)

check: format lint types layers docs test  ## everything that must be green, in this order

format: env  ## is every file formatted?
	$(BIN)/ruff format --check .

lint: env  ## ruff, every rule
	$(BIN)/ruff check .

types: env  ## mypy --strict, on tests too
	$(BIN)/mypy

layers: env  ## do imports point down?
	$(BIN)/lint-imports

docs: env  ## run every example in README, docs and docstrings; is the reference complete?
	$(BIN)/python -m pytest --quiet README.md CONTRIBUTING.md docs src tests/docs

test: env  ## run all tests that need no network, server or GPU
	$(BIN)/python -m pytest --quiet --numprocesses $(JOBS) --dist loadfile

property: env  ## the properties, with many more examples
	HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile -m property

fault: env  ## only the tests that break something on purpose
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile -m fault

servers: env  ## the tests against real servers on this machine
	$(BIN)/python -m pytest -m server

gpu: env  ## the tests that need an accelerator
	$(BIN)/python -m pytest -m gpu

bench: env  ## measure against cp, b3sum and friends; the figures of docs/benchmarks.md
	$(BIN)/python -m benchmarks

coverage: env  ## which lines and branches no test reaches
	$(BIN)/python -m pytest --quiet --numprocesses $(JOBS) --dist loadfile --cov --cov-report=term

demo: env  ## make, add, share, verify and export real models in .demo/
	PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh

fix: env  ## format, and repair what ruff can repair
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

reference: env  ## write docs/reference anew from the code
	$(BIN)/python -m tests.docs.reference

changelog: env  ## preview the next release's notes
	$(BIN)/towncrier build --draft

clean:  ## remove what the other targets made
	rm -rf .venv .demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis htmlcov .coverage*
