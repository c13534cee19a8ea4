# gradratio: `make help` lists the targets.

PRESET ?= quick
# The first Python of at least 3.11; another: make PYTHON=/path/to/python3
PYTHON ?= $(shell for one in python3.11 python3; do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$one && break; done)
# Tested versions; the newest ones instead: make CONSTRAINTS=
CONSTRAINTS ?= constraints.txt
EXTRAS := torch,jax,data,bench,reports,dev
VERSIONS = $(if $(CONSTRAINTS),-c "$(CONSTRAINTS)",--upgrade --upgrade-strategy eager)

# Empty, a cell that comes out otherwise than expected ends make report and make gpu with an error
KEEP_GOING ?= --keep-going
# Minutes of one part of make gpu; call it again for the next part
MINUTES ?= 8

VENV := .venv
PY := $(VENV)/bin/python
# Of make history: commits as git names a range, and the machine's name in asv's results (default: its processor)
RANGE ?= HEAD^!
MACHINE ?=
# Of make experiments: a folder with MNIST as IDX files; FLAGS go along, such as --only descent or --minutes 8
DATA ?=
# Of make gate: the commits that it compares (or folders with impls in them), and flags such as --problem tanh
BASE ?= origin/main
HEAD ?= HEAD
FLAGS ?=
# The Python of make gpu and make experiments, where frameworks for CUDA are there already: make gpu GPU_PY=python3
GPU_PY ?= $(PY)
STAMP := $(VENV)/installed
# It holds the CONSTRAINTS that the environment was made with: with others it is made again.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(or $(CONSTRAINTS),newest))
$(STAMP): FORCE
FORCE:
endif

# On Ctrl-C a command says in one sentence what is kept and how to go on. The shell waits for that, and make ends by the
# signal (130 for a shell): of a recipe that ends well it prints no error. One that came to the command alone is handed
# on, and make is given the time to take it before its child ends.
CALM := trap 'stopped=130' INT; stopped=; status=0;
END = { [ $${stopped:-$$status} -ne 130 ] || { kill -INT $$PPID; sleep 0.2; exit 0; }; exit $$status; }

# One thread for each process: numbers and tests must not depend on how many cores are free.
export OMP_NUM_THREADS := 1
export NPROC := 1
export JAX_PLATFORMS := cpu
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help report experiments peers test lint list pytest compare gate gpu history clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python of at least 3.11 was found: install one, or name it with make PYTHON=/path/to/python3." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install its venv module (on Debian and Ubuntu the package python3-venv)." >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(PY) -m pip install -qq --disable-pip-version-check $(VERSIONS) -e '.[$(EXTRAS)]'
	@echo "$(or $(CONSTRAINTS),newest)" > $@

# The file that rows of a preset go to
LOCATION = -c 'import sys; from bench.context import location; print(location(sys.argv[1]))'

report: $(STAMP) ## measure PRESET (default quick) and write the page; the last line is its path
	@$(CALM) { rows=$$($(PY) $(LOCATION) "$(PRESET)") \
	&& $(PY) -m gradratio run --preset $(PRESET) $(KEEP_GOING) --out "$$rows" \
	&& $(PY) -m gradratio page --results "$$rows"; } || status=$$?; $(END)

experiments: $(if $(filter $(PY),$(GPU_PY)),$(STAMP)) ## the papers' experiments of PRESET (quick, paper; with paper DATA=folder of IDX files), then the page
	@$(CALM) export PYTHONPATH="$(CURDIR)$${PYTHONPATH:+:$$PYTHONPATH}"; \
	rows=$$($(GPU_PY) $(LOCATION) "papers-$(PRESET)") || { status=$$?; $(END); }; \
	$(GPU_PY) -m gradratio experiments --preset "$(PRESET)" $(if $(DATA),--data "$(DATA)") --out "$$rows" $(FLAGS) || status=$$?; \
	[ $${stopped:-$$status} -le 1 ] || $(END); \
	case " $(FLAGS) " in *" --list "*|*" --out "*) exit $$status;; esac; \
	if [ -x $(PY) ]; then $(PY) -m gradratio page --papers "$$rows" || status=$$?; \
	else echo "The page of $$rows is drawn by: gradratio page --papers $$rows"; fi; $(END)

peers: $(STAMP) ## our methods beside other libraries' (PRESET quick, full): installs those, prints ours ÷ theirs. FLAGS go along
	@$(CALM) { $(PY) -m pip install -qq --disable-pip-version-check $(VERSIONS) -e '.[peers]' \
	&& $(PY) -m gradratio peers --preset "$(PRESET)" $(FLAGS); } || status=$$?; $(END)

test: lint ## lint, types and tests
	$(PY) -m pytest -n 2 --dist worksteal -q

lint: $(STAMP) ## ruff and mypy
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

list: $(STAMP) ## names of presets, frameworks, problems and methods
	@$(PY) -m gradratio list

pytest: $(STAMP) ## pytest-benchmark of PRESET (default smoke): one process a framework, one table. FLAGS go along
	@$(CALM) $(PY) -m gradratio pytest --preset "$(if $(filter file,$(origin PRESET)),smoke,$(PRESET))" $(FLAGS) || status=$$?; $(END)

compare: ## the name that make pytest had
	@echo "make compare is make pytest now." >&2
	@$(MAKE) pytest

gate: $(STAMP) ## does HEAD make a gradient slower, hungrier or less right than BASE (default origin/main)? FLAGS go along
	@$(CALM) $(PY) -m gradratio gate "$(BASE)" "$(HEAD)" $(FLAGS) || status=$$?; $(END)

gpu: ## measure PRESET gpu on every NVIDIA GPU, one part of MINUTES (default 8); again goes on. OUT names the file
	@if ! nvidia-smi -L >/dev/null 2>&1; then echo "There is no NVIDIA GPU here: nothing to measure."; exit 0; fi; \
	$(CALM) { $(if $(filter $(PY),$(GPU_PY)),$(MAKE) $(STAMP) &&) \
	PYTHONPATH="$(CURDIR)$${PYTHONPATH:+:$$PYTHONPATH}" $(GPU_PY) -m gradratio run --preset gpu --minutes $(MINUTES) \
		$(KEEP_GOING) $(if $(OUT),--out "$(OUT)"); } || status=$$?; $(END)

history: $(STAMP) ## track the commits RANGE (default HEAD^!) of PRESET (default track) with asv, and publish its site
	@$(CALM) export GRADRATIO_PRESET="$(if $(filter file,$(origin PRESET)),$${GRADRATIO_PRESET:-track},$(PRESET))"; \
	$(PY) -m gradratio history $(if $(MACHINE),--machine "$(MACHINE)") "$(RANGE)" || status=$$?; \
	[ $${stopped:-$$status} -le 1 ] || $(END); \
	$(PY) -m gradratio page >/dev/null || { status=$$?; $(END); }; \
	echo "reports/html/index.html; asv's site beside it needs HTTP: python -m http.server -d reports/html, then /asv/"; $(END)

clean: ## remove the environment and caches; results stay
	rm -rf $(VENV) .asv .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info reports/html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
