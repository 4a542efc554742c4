# Everything runs in .venv, which is made when it is missing and renewed when the requirements change.
# The syntax is that of GNU make 3.81, which macOS has.

PYTHON ?= python3
# How many processes run `make test`.
WORKERS ?= auto
# More arguments: `make test ARGS="-k memory -x"`, `make run ARGS="--only web"`.
ARGS ?=

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
# Wheels only: installing runs no code of a package. Where a platform has no wheel of one: `make run PIP_ONLY_BINARY=`.
PIP_ONLY_BINARY ?= :all:
export PIP_ONLY_BINARY
# LOCKED=1 installs what the locks list, each file by its hash, as CI and the image do.
LOCKED ?=
FROM = $(if $(LOCKED),--require-hashes -r $(1).lock,-r $(1).txt)
# Each is touched when what it is named after has been installed.
INSTALLED := $(VENV)/requirements
INSTALLED_DEV := $(VENV)/requirements-dev

# One line of Python's answer. The argument may hold commas between parentheses only.
python-says = $(shell $(PYTHON) -c '$(1)' 2>/dev/null)

.DEFAULT_GOAL := help
# A .venv that was interrupted half-way is made anew.
.DELETE_ON_ERROR:
.PHONY: help run test test-slow test-all test-postgresql soak check bench lock licences

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

run: $(INSTALLED) ## Start sysmon; the first time, install what it needs. Ctrl-C ends it
	@exec $(BIN)/python manage.py up $(ARGS)

test: $(INSTALLED_DEV) ## Run what a person runs all day, on all cores; the first time, install what it needs
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not slow" $(ARGS)

test-slow: $(INSTALLED_DEV) ## Run the live, browser and server tests, and those of `make test` on a PostgreSQL of their own
	@$(BIN)/python -m pytest -m slow $(ARGS)
	@$(BIN)/python -m tests.postgresql $(BIN)/python -m pytest -m "not slow" $(ARGS)

test-all: test test-slow ## Run both

test-postgresql: $(INSTALLED_DEV) ## Run all tests on a PostgreSQL of their own, but those about the file of SQLite
	@$(BIN)/python -m tests.postgresql $(BIN)/python -m pytest $(ARGS)

soak: $(INSTALLED_DEV) ## Do it harm for an hour: a hundred kills under load, and other tests in their long form
	@SYSMON_TEST_SOAK=1 $(BIN)/python -m pytest -m soak $(ARGS)

bench: $(INSTALLED) ## Measure against a FastAPI yardstick, and on a simulated year; half an hour, or ARGS=GROUP
	@$(BIN)/python -m benchmarks $(ARGS)

# A data directory that nobody uses: the program's own is left alone.
check: export SYSMON_DATA_DIR = $(VENV)/check-data
check: export SYSMON_HTTPS = 0
check: export DATABASE_URL =
check: $(INSTALLED_DEV) ## Format, lint, types, security, migrations, Django's checks, the API's description
	@rm -rf $(SYSMON_DATA_DIR)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive metrics sysmon_project manage.py
	$(BIN)/python -m tests.audit
	$(BIN)/python -m tests.licences --check
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --deploy --fail-level WARNING
	SYSMON_HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(SYSMON_DATA_DIR)/openapi.yml

lock: export UV_CUSTOM_COMPILE_COMMAND = make lock
lock: $(INSTALLED_DEV) ## Write the locks anew after a requirement has changed: every file that may be installed, by its hash
	@for name in requirements requirements-dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	    --only-binary :all: --generate-hashes --no-strip-extras --no-emit-index-url --no-annotate \
	    --output-file $$name.lock $$name.txt || exit; done

licences: $(INSTALLED_DEV) ## Write the table of licences anew
	@$(BIN)/python -m tests.licences

$(INSTALLED): requirements.txt $(BIN)/python
	@echo "installing requirements.txt into $(VENV)"
	@$(PIP) $(call FROM,requirements)
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt $(INSTALLED)
	@echo "installing requirements-dev.txt into $(VENV)"
	@$(PIP) $(call FROM,requirements-dev)
	@touch $@

# What is missing is said in one line, before anything is made.
$(BIN)/python:
	$(if $(call python-says,print(1)),,$(error sysmon needs Python 3.11 or newer, but "$(PYTHON)" does not start; install it, or name it: make PYTHON=/path/to/python3))
	$(if $(call python-says,import sys; print(1 if sys.version_info >= (3, 11) else "")),,$(error sysmon needs Python 3.11 or newer, but "$(PYTHON)" is older; install a newer one, and name it: make PYTHON=python3.11))
	$(if $(call python-says,import ensurepip; import venv; print(1)),,$(error "$(PYTHON)" comes without venv; on Debian and Ubuntu: apt install python3-venv))
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)
