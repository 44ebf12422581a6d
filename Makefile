# Two commands matter: `make demo` and `make test`. Each makes .venv itself if it is missing or stale.
.DEFAULT_GOAL := help
.PHONY: help venv demo test lint soak requirements bench pins clean

BIN := .venv/bin
ARGS ?=
PYTHON ?=
PYTEST := $(BIN)/python -m pytest

help: ## say what each command does
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'
	@echo
	@echo '  make demo ARGS="--speed 30 --until-done --headless" passes options on.'
	@echo '  make venv PYTHON=/path/to/python3.12 chooses the interpreter (3.11 or newer).'

venv: ## make .venv, or bring it up to date
	@sh tools/venv.sh "$(PYTHON)"

demo: venv ## dial 5,000 sample leads with simulated agents and show it in the browser
	@$(BIN)/dialer demo $(ARGS)

lint: venv ## check style, format, types and import boundaries
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint ## check everything and run every test but the long ones
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder $(or $(ARGS),--requirements-file=.requirements.json)

soak: venv ## run the tests that take minutes
	$(PYTEST) -m soak --timeout 3600 $(ARGS)

requirements: venv ## print each requirement with the tests that prove it
	@$(BIN)/python -m tools.requirements

bench: venv ## measure speed and memory, as ratios
	@$(BIN)/dialer bench $(or $(ARGS),all)

pins: venv ## choose newer versions: write requirements.txt anew from pyproject.toml
	$(BIN)/pip-compile --upgrade --extra bench --extra dev --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file requirements.txt pyproject.toml

clean: ## remove .venv and everything that tools leave behind
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache \
		.requirements.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
