# The federation on this machine, and its tests. `make` alone lists the commands.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help up down env is-up status map pictures tools unit pytest test e2e e2e-beside thorough check schema api-schemas inventory new-stack \
  last-release lock

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { gsub(/\$$\$$/, "$$"); printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(VENV)/ready ## Start the federation on this machine
	@$(BIN)/python -m local up

down: $(VENV)/ready ## End all its processes and remove its files
	@$(BIN)/python -m local down

env: $(VENV)/ready ## Print what a shell needs for pulumi and kubectl: eval "$$(make -s env)"
	@$(BIN)/python -m local env

is-up: $(VENV)/ready
	@test -d .local || { echo "error: the local stack is not up. Run make up first" >&2; exit 2; }

status: is-up ## Show the status of the local stack: members and workloads; follow it with ARGS=--watch
	@eval "$$($(BIN)/python -m local env)" && $(BIN)/python -m geofed status --stack local $(ARGS)

map: is-up ## Draw the members and shares of the local stack on a map of the world, map.svg
	@eval "$$($(BIN)/python -m local env)" && $(BIN)/python -m geofed map --stack local

pictures: is-up ## Redraw docs/pictures from the local stack
	@eval "$$($(BIN)/python -m local env)" && $(BIN)/python -m docs.pictures

tools: $(VENV)/ready ## Build the tools of the local stack into the tool cache
	@$(BIN)/python -m local tools

check: $(VENV)/ready ## Check style, types, imports and workflows
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/pyright --warnings
	@$(BIN)/python -m tools.check_imports
	@$(BIN)/python -m tools.check_workflows

unit: $(VENV)/ready ## Check, and run the unit and property tests: in seconds and without tools
	@$(MAKE) --no-print-directory --jobs 2 --output-sync check pytest

pytest: $(VENV)/ready
	@$(BIN)/python -m pytest

test: unit tools ## Run everything, the local stack included; with KUBERNETES=1.35 or 1.37, on that
	@$(MAKE) --no-print-directory --jobs 3 e2e e2e-beside thorough

# Local stacks wait for much of their time, in which others go on: these have one of their own, or share another.
BESIDE := $(patsubst %,tests/e2e/test_%.py,docs keep_data kubectl leaving local_stack missing_tools moving_replicas \
  placement privileges published_base secrets setup status upgrade workflow_steps)

# Collecting garbage is a third of what Pulumi and the servers of a local stack compute; here, memory is cheaper.
e2e e2e-beside: export GOGC = 400
e2e e2e-beside: export GOMEMLIMIT = 4GiB

e2e:
	@$(BIN)/python -m pytest tests/e2e $(addprefix --ignore=,$(BESIDE)) --timeout 900 --durations=15 -rs

e2e-beside:
	@$(BIN)/python -m pytest $(BESIDE) --timeout 900 --durations=15 -rs

thorough:
	@nice $(BIN)/python -m pytest --quiet --no-header -m hypothesis --hypothesis-profile=thorough --timeout 600

schema: $(VENV)/ready ## Rewrite stack.schema.json and docs/settings.md from the settings' models
	@$(BIN)/python -m stackfile

inventory: $(VENV)/ready ## Rewrite tests/inventory: what the program registers for dev, prod and local
	@$(BIN)/python -m tests.inventory

api-schemas: $(VENV)/ready ## Rewrite placement/api/api_schemas.json, after another version in tools/kubernetes
	@$(BIN)/python -m tools.api_schemas

# The name is passed in the environment, so that no shell interprets it.
new-stack: $(VENV)/ready ## Write the file of a new stack, every setting explained: make new-stack NAME=staging
	@$(BIN)/python -m geofed new-stack -- "$$NAME"

last-release: ## Keep the program of the last commit as the last release's, for the test of upgrades
	@git archive -o tests/e2e/last_release.tar.gz HEAD __main__.py settings.py stack_file.py problems.py clusters federation \
	  placement workloads Pulumi.yaml Pulumi.local.yaml Pulumi.README.md

lock: $(VENV)/ready ## Rewrite requirements-dev.lock from the requirements; with LOCKFLAGS=--upgrade, the newest of all
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(LOCKFLAGS) \
	  --custom-compile-command 'make lock' --output-file requirements-dev.lock requirements-dev.txt

$(VENV)/ready: requirements-dev.lock
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not on PATH. Install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than 3.11. Install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "error: $(PYTHON) cannot make virtual environments. Install its venv module (Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo "Setting up $(VENV) ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@
