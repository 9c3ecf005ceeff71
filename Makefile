# `make report` runs the main job on data/, `make test` runs all tests; both install into .venv what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
WORKERS = $(shell $(PYTHON) -c 'import os; print(os.cpu_count() + 1)') # one more than cores: tests of servers wait much
unexport PYTHONDONTWRITEBYTECODE  # the tests start hundreds of processes: what they import is compiled once

.PHONY: report test docs links check lowest release-check format bench bench-sync bench-reports bench-large bench-scale bench-alarms clean

report: $(INSTALLED)
	$(BIN)/mltasks report demo -o report.html --force

test: $(INSTALLED)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope $(OPTIONS)

docs: $(INSTALLED)
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -b html docs build/docs
	@echo build/docs/index.html

links: $(INSTALLED)  # asks for every page outside that the documentation links to, so it needs the internet
	$(BIN)/python -m sphinx --keep-going --quiet -b linkcheck docs build/links

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lowest:
	.ci/lowest

release-check:
	PYTHON=$(PYTHON) .ci/release-check

format: $(INSTALLED)
	PYTHONPATH=tests $(BIN)/python -m support.stub
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(INSTALLED)
	PYTHONPATH=tests $(BIN)/python -m benchmarks.fetch $(OPTIONS)

bench-sync: $(INSTALLED)
	PYTHONPATH=tests $(BIN)/python -m benchmarks.sync $(OPTIONS)

bench-reports: $(INSTALLED)
	$(BIN)/python -m benchmarks.reports $(OPTIONS)

bench-large: $(INSTALLED)
	$(BIN)/python -m benchmarks.large $(OPTIONS)

bench-scale: $(INSTALLED)
	PYTHONPATH=tests $(BIN)/python -m benchmarks.scale $(OPTIONS)

bench-alarms: $(INSTALLED)
	$(BIN)/python -m benchmarks.false_alarms $(OPTIONS)

$(INSTALLED): pyproject.toml Makefile
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mltasks needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,docs]'
	touch $@

clean:
	rm -rf $(VENV) dist build report.html
