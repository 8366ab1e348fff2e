# make tour   train a small language model on real text, and look at the result
# make course open the first notebook of the course
# make test   lint, type-check, and run every test
# make check  the same without the slow tests: three minutes
# make docs   build the site and show it at http://127.0.0.1:8000
# make site   the same as files, in site/
# make bench  measure against flax, jax.value_and_grad and PyTorch (installs them)
# Each sets up the virtual environment it needs, in .venv, with the versions of constraints.txt.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: tour course test check docs site bench bubblewrap lint format constraints clean

tour: $(VENV)/.base
	$(BIN)/minitorch tour

course: $(VENV)/.course
	$(BIN)/minitorch course start 00

test: lint bubblewrap
	$(BIN)/python -m pytest

check: lint
	$(BIN)/python -m pytest -m "not slow"

# The sandbox in which submissions are graded, a package of Debian's: installed where that needs no question.
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo -n)
bubblewrap:
	@command -v bwrap > /dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq bubblewrap; } > /dev/null 2>&1 \
		|| echo "bubblewrap is missing and could not be installed: tests of the sandbox are skipped (or fail, where CI is set)."

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.train_step
	$(BIN)/python -m benchmarks.bpe
	$(BIN)/python -m benchmarks.quality

site: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

$(BIN)/python:
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"minitorch needs Python 3.11 or newer, and $(PYTHON) is {v[0]}.{v[1]}: try make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

# A stamp for each set of packages, newer than the files that name them.
$(VENV)/.base: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing minitorch (about a minute) ..."
	@$(PIP) install -e . -c constraints.txt
	@touch $@

$(VENV)/.course: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing minitorch and JupyterLab (a minute or two) ..."
	@$(PIP) install -e '.[course]' -c constraints.txt
	@touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing minitorch and what makes its site (a minute or two) ..."
	@$(PIP) install -e '.[docs]' -c constraints.txt
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing minitorch and what its tests need (a minute or two) ..."
	@$(PIP) install -e '.[dev]' -c constraints.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	@echo "Installing the peers (a few minutes) ..."
	@$(PIP) install -e '.[dev,bench]' -c constraints.txt
	@touch $@

# Which versions everybody gets. Needs uv; run it to move to newer ones.
constraints:
	uv pip compile pyproject.toml --extra course --extra docs --extra dev --extra bench --universal --python-version 3.11 \
		--no-annotate --no-header | grep -vE '^(nvidia|cuda|triton)' | sed 's/+cpu//' > constraints.txt

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis runs
