PYTHON ?= python3
# Makes .venv and finds or builds the Pulumi engine, where that is still to do, and puts both on PATH.
SET_UP = settings=$$($(PYTHON) -m tools.env "$$PATH") && eval "$$settings"

.DEFAULT_GOAL := help
.PHONY: help up down test faults bench backends scale check growth tables engine env lock clean

help: ## this list
	@awk -F ': ## ' '/^[a-z]+: ## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

up: ## create the quickstart's stations on a local CHeKT emulator, and list them
	@$(SET_UP) && sh tools/up.sh

down: ## destroy what `make up` created, and prove that nothing is left
	@$(SET_UP) && sh tools/down.sh

test: ## run every test, those of the real Pulumi engine included
	@$(SET_UP) && { python -m tools.postgres || true; } && TEST_ENGINE=required python -m pytest -n auto --dist worksteal

faults: ## try the 60 faults of the fault table, and print what held
	@$(SET_UP) && python -m tests.faults.table

bench: ## count the requests of stacks of stations, and time them against a provider that does nothing (STATIONS=100,1000)
	@$(SET_UP) && python -m tools.bench --stations $(or $(STATIONS),100,1000) $(BENCH)

growth: ## the processor time of our own work among 200, 2,000 and 20,000 stations
	@$(SET_UP) && python -m tools.growth

scale: ## one roll-out over many dealers: seconds, memory, requests (DEALERS=200 STACKS=200 PARALLEL=2)
	@$(SET_UP) && python -m tools.scale --dealers $(or $(DEALERS),200) --stacks $(or $(STACKS),$(DEALERS),200) --parallel $(or $(PARALLEL),2)

backends: ## time a stack of stations with its state in a folder, in PostgreSQL and in an S3-compatible bucket (STATIONS=100)
	@$(SET_UP) && python -m tools.backends --stations $(or $(STATIONS),100)

check: ## lint, formatting, types, import rules
	@$(PYTHON) -m tools.venv && PATH="$(CURDIR)/.venv/bin:$$PATH" sh tools/check.sh

tables: ## write the README's tables of inputs and settings, and the example's schema, as the code has them
	@$(PYTHON) -m tools.venv && . .venv/bin/activate && python -m tools.tables && chekt schema > examples/fleet/stations.schema.json

engine: ## find or set up the Pulumi engine
	@$(PYTHON) -m tools.engine.install

env: ## print the lines that make `pulumi` and `chekt` work in a shell: eval "$(make -s env)"
	@$(PYTHON) -m tools.env "$$PATH"

lock: ## fit requirements.lock to pyproject.toml, and the examples' locks to it (delete it first to take the newest of everything)
	@$(PYTHON) -m tools.venv && sh tools/lock.sh

clean: ## remove what was made in this checkout, unless stacks hold resources; the engine stays in the user's cache
	@$(PYTHON) -m tools.clean
