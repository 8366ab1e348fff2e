# make tour      train a small language model on real text, and look at the result
# make course    open the first notebook of the course
# make test      lint, type-check and test: 12 minutes on two cores
# make check     the same without the slow tests: three minutes
# make test-all  the same with the tests that need many minutes, a browser or a second environment
# make docs      build the site and show it at http://127.0.0.1:8000
# make site      build the same as files, in site/
# make bench     measure against flax, jax.value_and_grad and PyTorch (installs them)
# make coverage  write docs/contribute/coverage.md from what `make test` measured
# Each target creates the virtual environment that it needs in .venv, with the versions of constraints.txt.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q
UV     := $(BIN)/python -m uv pip install -q -p $(BIN)/python -c constraints.txt

.PHONY: tour course test test-all check docs site bench coverage bubblewrap chromium lint format constraints clean

tour: $(VENV)/.base
	$(BIN)/minitorch tour

course: $(VENV)/.course
	$(BIN)/minitorch course start 00

# Coverage of branches, measured during the quick tests: it would make the slow ones a quarter slower.
COVER := --cov --cov-report=json --cov-report=

test: lint bubblewrap
	$(BIN)/python -m pytest -m "not costly" $(COVER)

test-all: lint bubblewrap chromium
	$(BIN)/python -m pytest $(COVER)

check: lint
	$(BIN)/python -m pytest -m "not slow and not costly"

coverage: $(VENV)/.dev
	$(BIN)/python docs/hooks/coverage_page.py

# Two of Debian's packages: the sandbox in which submissions are graded, and the browser that looks at the site.
# Installed where that asks no question.
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo -n)
APT   = { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq $(1); } > /dev/null 2>&1
bubblewrap:
	@command -v bwrap > /dev/null || $(call APT,bubblewrap) \
		|| echo "bubblewrap is missing and could not be installed: tests of the sandbox are skipped (or fail, where CI is set)."

chromium:
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } > /dev/null || $(call APT,chromium) \
		|| echo "Chromium is missing and could not be installed: tests of the site in a browser are skipped."

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/zizmor --offline --quiet .github

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

# uv installs in seconds what takes pip minutes. It is installed into the environment, so that its version is ours, too.
$(VENV)/.uv:
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"minitorch needs Python 3.11 or newer, and $(PYTHON) is {v[0]}.{v[1]}: try make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install uv -c constraints.txt
	@touch $@

# A stamp for each set of packages, newer than the files that name them.
$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/.uv
	@echo "Installing minitorch ..."
	@$(UV) -e .
	@touch $@

$(VENV)/.course: pyproject.toml constraints.txt | $(VENV)/.uv
	@echo "Installing minitorch and JupyterLab ..."
	@$(UV) -e '.[course]'
	@touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/.uv
	@echo "Installing minitorch and the site's tools ..."
	@$(UV) -e . --group docs
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/.uv
	@echo "Installing minitorch and the packages that its tests need ..."
	@$(UV) -e '.[labs,tracking,ray]' --group dev
	@touch $@

# pip installs PyTorch: it finds wheels for the CPU in places that uv does not search.
$(VENV)/.bench: $(VENV)/.dev
	@echo "Installing the peers (a few minutes) ..."
	@$(PIP) install torch -c constraints.txt
	@$(UV) --group bench
	@touch $@

# The versions that everybody gets. Keeps today's where they fit; `rm constraints.txt` first to move to newer ones.
constraints: $(VENV)/.uv
	@touch constraints.txt
	$(BIN)/python -m uv pip compile pyproject.toml --extra course --extra labs --extra hf --extra lectures --extra tracking --extra ray \
		--group dev --group bench --universal --python-version 3.11 --no-annotate --no-header -q -o constraints.new
	grep -vE '^(nvidia|cuda|triton)' constraints.new | sed 's/+cpu//' > constraints.txt && rm constraints.new

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .coverage coverage.json runs
