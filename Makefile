# `make` prints the verbs. Everything runs from .venv; nothing needs to be activated.
PYTHON ?= python3
VENV ?= .venv
UV ?= uv
PORT ?= 8000
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup start chat test check eval gate baseline figures lock

help: ## print these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## create .venv and install the locked packages (only when they changed)

# Two steps, because pip refuses an editable install together with hashes.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Usher needs Python 3.11 or newer; name one: make setup PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) \
	  || { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install -q pip; }
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

start: setup ## serve the chat page on http://127.0.0.1:8000 (builds the starter index if there is none)
	$(BIN)/usher serve --port $(PORT)

chat: setup ## talk in the terminal
	$(BIN)/usher chat

test: setup ## run the whole test suite; needs no network
	$(BIN)/python -m pytest

check: setup ## format, lint, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

eval: setup ## play the scenarios on the starter index and update the table in the README (<= 5 min)
	$(BIN)/python -m evals suite

gate: setup ## our dialogues on the starter index, held against evals/baselines (CI does)
	$(BIN)/python -m evals guard

baseline: setup ## store evals/baselines anew, for the commit that means to change them
	$(BIN)/python -m evals guard --renew

figures: setup ## measure what needs USHER_DATA, kills or load; slow, resumable
	$(BIN)/python -m evals figures

lock: ## resolve requirements.lock anew (needs uv; UV=/path/to/uv)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv; name it: make lock UV=/path/to/uv"; exit 1; }
	$(UV) pip compile pyproject.toml --universal --python-version 3.11 --extra dev --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" \
	  -q -o requirements.lock
