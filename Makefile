# Every target works on a fresh checkout with Python >= 3.11 and make: it installs what it needs into
# .venv first, from the locked and hashed requirements, and not again until a lock changes.

.DEFAULT_GOAL := help
.PHONY: help run test test-all check bench openapi migration clean

VENV := .venv
RUN := $(VENV)/bin/python
CPUS ?= 2

# The first Python that is new enough: `python3` where it is, else a newer one beside it.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	command -v "$$name"; break; fi; done)

# A stamp is named by the checksum of its lock, so another lock is another stamp.
RUN_STAMP := $(VENV)/.run-$(shell cksum < requirements.lock | cut -d' ' -f1)
DEV_STAMP := $(VENV)/.dev-$(shell cat requirements.lock requirements-dev.lock | cksum | cut -d' ' -f1)
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes -r

help:
	@echo "make run        start everything with a demo tenant (needs nothing but Python >= 3.11)"
	@echo "make test       the tests, without the full sizes"
	@echo "make test-all   every test: faults, soak and property tests at full size"
	@echo "make check      lint, format, types, import contracts, OpenAPI drift"
	@echo "make bench      speed, as ratios"
	@echo "make openapi    write openapi/openapi.json"
	@echo "make migration name=add_something   a new migration from the difference to the tables"
	@echo "make clean      remove caches and build results (.venv and the data in .vidhuk stay)"

run: $(RUN_STAMP) $(VENV)/bin/vidhuk
	@exec $(RUN) -m app demo $(ARGS)

test: $(DEV_STAMP)
	$(RUN) -m pytest -n $(CPUS) --durations=20 -m "not full" $(ARGS)

test-all: $(DEV_STAMP)
	$(RUN) -m pytest -n $(CPUS) --durations=20 $(ARGS)

check: $(DEV_STAMP)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -c 'from importlinter.cli import lint_imports_command as lint; lint()'
	$(RUN) -m app openapi --check

bench: $(DEV_STAMP)
	@exec $(RUN) -m app bench $(ARGS)

openapi: $(RUN_STAMP)
	$(RUN) -m app openapi

ifeq ($(filter migration,$(MAKECMDGOALS))$(name),migration)
$(error Say what it does: make migration name=add_something)
endif

migration: $(DEV_STAMP)
	$(RUN) tools/new-migration.py "$(name)"

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(RUN):
	@PYTHON="$(PYTHON)" sh tools/make-venv $(VENV)

$(RUN_STAMP): | $(RUN)
	@echo "Installing the locked packages into $(VENV) (once) ..."
	@$(RUN) $(INSTALL) requirements.lock
	@rm -f $(VENV)/.run-* && touch $@

# The development lock holds the run lock's pins too, so both are in place afterwards.
$(DEV_STAMP): | $(RUN)
	@echo "Installing the locked packages for development into $(VENV) (once) ..."
	@$(RUN) $(INSTALL) requirements-dev.lock
	@rm -f $(VENV)/.run-* $(VENV)/.dev-* && touch $@ $(RUN_STAMP)

# The command line by its name, for the shell next door: the project itself is not installed anywhere.
$(VENV)/bin/vidhuk: | $(RUN)
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/$(RUN)" -m app "$$@"\n' "$(CURDIR)" "$(CURDIR)" > $@
	@chmod 755 $@
