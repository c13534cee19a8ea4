# gradratio: `make help` lists the targets.

PRESET ?= quick
# The first Python of at least 3.11; another: make PYTHON=/path/to/python3
PYTHON ?= $(shell for one in python3.11 python3; do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$one && break; done)
# Tested versions; the newest ones instead: make CONSTRAINTS=
CONSTRAINTS ?= constraints.txt
EXTRAS := torch,jax,data,bench,reports,dev

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/installed

# One thread for each process: numbers and tests must not depend on how many cores are free.
export OMP_NUM_THREADS := 1
export NPROC := 1
export JAX_PLATFORMS := cpu
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help report test lint list asv clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python of at least 3.11 was found: install one, or name it with make PYTHON=/path/to/python3." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install its venv module (on Debian and Ubuntu the package python3-venv)." >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(PY) -m pip install -qq --disable-pip-version-check $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e '.[$(EXTRAS)]'
	@touch $@

report: $(STAMP) ## measure PRESET (default quick) and write the page; the last line is its path
	@rows=$$($(PY) -c 'from bench import rows, store; from bench.instruments import machine; \
	print(store.location("$(PRESET)", *machine.git(rows.ROOT)))') \
	&& $(PY) -m bench run --preset $(PRESET) --keep-going --out "$$rows" \
	&& $(PY) -m reports --results "$$rows"

test: lint ## lint, types and tests
	$(PY) -m pytest -n 2 -q

lint: $(STAMP) ## ruff and mypy
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

list: $(STAMP) ## names of presets, frameworks, problems and methods
	@$(PY) -m bench list

asv: $(STAMP) ## track the current commit with asv (GRADRATIO_PRESET, default smoke)
	$(VENV)/bin/asv machine --yes --machine local
	$(VENV)/bin/asv run -E existing:$(PY) --machine local --quick --set-commit-hash $$(git rev-parse HEAD)

clean: ## remove the environment and caches; results stay
	rm -rf $(VENV) .asv .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info reports/html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
