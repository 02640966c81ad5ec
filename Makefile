# Everything a person or a CI job types. `make` alone prints the list.
# Plain enough for the GNU Make 3.81 that macOS ships.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PY      := .venv/bin/python
STAMP   := .venv/.stamp
WORKERS ?= 2
ARGS    ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
ifdef CI
export PIP_PROGRESS_BAR := off
endif

# Tests never reach a hub, and two workers of one thread each do not fight over two cores.
# Bytecode is kept, whatever the shell says: the tests start Python some hundred times.
QUIET := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false PYTHONDONTWRITEBYTECODE=

.PHONY: help setup run test test-slow faults lint format fidelity clean

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv from requirements.lock (2–5 minutes, ~2 GB; nothing when current)

# The stamp is removed first and touched last: an interrupted set-up is done again, not taken for finished.
$(STAMP): requirements.lock pyproject.toml
	@rm -f $@
	@if ! $(PY) -m pip --version >/dev/null 2>&1; then \
	  for python in python3.11 python3 none; do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; \
	  done; \
	  if [ "$$python" = none ]; then \
	    echo "make setup: no Python 3.11 or newer found (tried python3.11 and python3)." >&2; \
	    echo "Install one, for example with pyenv or your system's packages, and put it on PATH." >&2; \
	    exit 1; \
	  fi; \
	  echo "== new environment in .venv ($$("$$python" --version))"; \
	  "$$python" -m venv --clear .venv; \
	fi
	@echo "== torch, on its own: the largest download, and everything else builds on it"
	@$(PY) -m pip install "$$(grep '^torch==' requirements.lock)"
	@echo "== requirements.lock"
	@$(PY) -m pip install -r requirements.lock
	@echo "== unidelta, editable"
	@$(PY) -m pip install --no-deps --no-build-isolation -e .
	@touch $@

run: setup ## the main job: train and evaluate the default design; ARGS="method=lora seed=1" are passed on
	@$(PY) train.py $(ARGS)

test: setup ## unit tests, no network; ARGS="tests/design -k budget" are passed on
	@$(QUIET) $(PY) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-slow: setup ## the tests marked slow (half an hour), no network
	@$(QUIET) $(PY) -m pytest -n $(WORKERS) --dist worksteal -m "slow and not network" $(ARGS)

faults: setup ## kills, torn files, full disks and divergence on purpose, as a table (15 to 25 minutes)
	@$(QUIET) $(PY) -m pytest -q -m "not network" tests/faults $(ARGS)

lint: setup ## ruff (rules and format), import-linter and pyright
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@.venv/bin/lint-imports
	@$(PY) -m pyright

format: setup ## let ruff rewrite what it can
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

fidelity: setup ## compare with the authors' code: golden vectors, then parameter counts
	@$(QUIET) $(PY) -m unidelta.fidelity golden tests/golden
	@$(QUIET) $(PY) -m unidelta.fidelity counts

clean: ## remove caches and builds; .venv, outputs and results stay
	@rm -rf build dist .pytest_cache .ruff_cache .hypothesis
	@find src tests -type d -name __pycache__ -prune -exec rm -rf {} +
