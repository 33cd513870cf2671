# Every habit is one short command. `make` lists them.

PYTHON ?= python3
UV_VERSION := 0.13.8
# Where pytest's workers run: a number, or `0` for none (to use a debugger).
WORKERS ?= logical
# More words for pytest, as in: make unit ARGS="-k cursor"
ARGS ?=

BIN := .venv/bin
VENV := .venv/.made
UV := .tools/uv-$(UV_VERSION)
VENDOR := web/static/vendor/graphql-ws.min.js
NODE_TESTS := tests/node/node_modules/.made
DASHBOARD := web/dashboard
DASHBOARD_NODE := $(DASHBOARD)/node_modules/.made
# What is built of it; the index is written last.
PAGE := web/static/dashboard/index.html
GRAPHIQL := web/graphiql/node_modules
BENCH := tests/bench/contestants/node
BENCH_NODE := $(BENCH)/node_modules/.made
BENCH_ALERTA := tests/bench/reports/alerta/.venv
NPM_CI := ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error

# Its scripts run with the Node of the environment, whatever else is installed.
RUN_NPM := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm --silent --prefix $(DASHBOARD)

export UV_PROJECT_ENVIRONMENT := .venv
# The Python that is here is the one to use; a toolchain of its own would be a download of another kind.
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup serve page pictures demo test lint format types unit postgres16 soak bench bench-report bench-watch bench-mixed bench-page
.PHONY: schema lock audit sbom clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV) $(VENDOR) $(PAGE) $(NODE_TESTS) ## make the environment: Python in .venv, the pages, the tests' clients

serve: $(VENV) $(VENDOR) $(PAGE) ## start the server on this machine, with its file under ./data
	@exec $(BIN)/issuegraph serve --dev $(ARGS)

page: $(PAGE) ## build the live page, and test its logic
	$(RUN_NPM) test

pictures: setup ## take pictures of every screen, and those that the documentation shows (ARGS="wall help" for some)
	@$(BIN)/python -m tests.pictures $(ARGS)

demo: $(VENV) ## load a small data set to look at (ARGS=--live plays on, beside a running server)
	@exec $(BIN)/issuegraph demo $(ARGS)

test: setup ## everything CI runs: style, types, all tests on SQLite, PostgreSQL 18 and 16
	@$(MAKE) --no-print-directory lint types page postgres16 unit

lint: $(VENV) ## look for mistakes and for style, change nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV) ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV) $(PAGE) ## check the types
	$(BIN)/mypy
	$(RUN_NPM) run types

unit: setup ## all tests, on SQLite and PostgreSQL 18 (ARGS="-k word" for some)
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

postgres16: setup ## the tests that touch data, on PostgreSQL 16
	$(BIN)/pytest -n $(WORKERS) --postgres=16 -m postgresql $(ARGS)

soak: setup ## the fault tests in their long form (ARGS="--soak=200" for so many rounds)
	$(BIN)/pytest -n $(WORKERS) --soak=50 tests/faults $(ARGS)

bench: $(VENV) $(BENCH_NODE) ## how fast it answers, beside other servers (ARGS="--help" tells more)
	@$(BIN)/python -m tests.bench $(ARGS)
	$(if $(ARGS),,@$(MAKE) --no-print-directory bench-report bench-watch)

bench-report: $(VENV) $(BENCH_ALERTA)/.made ## how many webhooks a second it takes, beside other ways (ARGS="--help" tells more)
	@$(BIN)/python -m tests.bench.reports $(ARGS)

bench-watch: $(VENV) ## how fast a change reaches everybody who watches (ARGS="--help" tells more)
	@$(BIN)/python -m tests.bench.watch $(ARGS)

bench-mixed: $(VENV) ## watchers, webhooks and queries at once for five minutes (ARGS="--help" tells more)
	@$(BIN)/python -m tests.bench.watch.mixed $(ARGS)

bench-page: $(VENV) $(PAGE) $(NODE_TESTS) ## the live page in a real browser under load (ARGS="--help" tells more)
	@$(BIN)/python -m tests.bench.page $(ARGS)

schema: $(VENV) ## write schema/schema.graphql, what clients see
	$(BIN)/issuegraph schema > schema/schema.graphql.new
	mv schema/schema.graphql.new schema/schema.graphql

lock: $(UV) ## take the newest versions that pyproject.toml allows
	.tools/bin/uv lock --upgrade

audit: $(VENV) ## ask the registries what is known against what we depend on
	.tools/bin/uv export --locked --quiet --no-dev --all-extras --no-emit-project -o .tools/requirements.txt > /dev/null
	UV_PROJECT_ENVIRONMENT=.tools/audit .tools/bin/uv sync --locked --quiet --only-group audit
	.tools/audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement .tools/requirements.txt
	$(BIN)/npm audit --omit=dev --prefix web/graphiql
	$(BIN)/npm audit --omit=dev --prefix $(DASHBOARD)

sbom: $(VENV) ## write dist/*.cdx.json, what a release is made of (CycloneDX)
	@mkdir -p dist
	.tools/bin/uv export --locked --quiet --no-dev --all-extras --format cyclonedx1.5 --preview-features sbom-export \
	   -o dist/issuegraph.cdx.json > /dev/null
	cd web/graphiql && ../../$(BIN)/npm sbom --sbom-format cyclonedx --package-lock-only --omit=dev > ../../dist/page.cdx.json
	cd $(DASHBOARD) && ../../$(BIN)/npm sbom --sbom-format cyclonedx --package-lock-only --omit=dev > ../../dist/dashboard.cdx.json

clean: ## remove all that was made, but not ./data
	rm -rf .venv .tools web/static/vendor web/graphiql/node_modules tests/node/node_modules dist
	rm -rf $(DASHBOARD)/node_modules $(DASHBOARD)/src/*/generated web/static/dashboard
	rm -rf $(BENCH)/node_modules $(BENCH_ALERTA) .bench
	rm -rf .pictures .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find models resolvers schema webhooks web tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- how it is made; a stamp file each, so the second time costs nothing ---

# uv has its own place: `uv sync` removes from .venv what is not locked, uv among it.
$(UV):
	@command -v $(PYTHON) >/dev/null || { echo "error: no $(PYTHON) here. issuegraph needs Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: $(PYTHON) is $$($(PYTHON) --version 2>&1); issuegraph needs Python 3.11 or newer." >&2; \
		echo "       Another one is named so: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "error: $(PYTHON) has no venv. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	rm -rf .tools
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV): pyproject.toml uv.lock $(UV)
	.tools/bin/uv sync --locked --quiet --compile-bytecode --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"
	@$(BIN)/python -m compileall -q models resolvers schema webhooks web/*.py web/commands
	@touch $@

# Scripts of packages are never run: nothing here needs one.
# The file copied last stands for all.
$(VENDOR): web/graphiql/package-lock.json | $(VENV)
	$(BIN)/npm $(NPM_CI) --prefix web/graphiql
	@mkdir -p $(@D)
	cp $(GRAPHIQL)/react/umd/react.production.min.js $(GRAPHIQL)/react-dom/umd/react-dom.production.min.js \
	   $(GRAPHIQL)/swagger-ui-dist/swagger-ui.css $(GRAPHIQL)/swagger-ui-dist/swagger-ui-bundle.js \
	   $(GRAPHIQL)/graphiql/graphiql.min.js $(GRAPHIQL)/graphiql/graphiql.min.css \
	   $(GRAPHIQL)/graphql-ws/umd/graphql-ws.min.js $(@D)/

$(DASHBOARD_NODE): $(DASHBOARD)/package-lock.json | $(VENV)
	$(BIN)/npm $(NPM_CI) --prefix $(DASHBOARD)
	@touch $@

$(PAGE): $(DASHBOARD_NODE) schema/schema.graphql $(DASHBOARD)/index.html $(wildcard $(DASHBOARD)/*.ts) \
   $(shell find $(DASHBOARD)/src -type f -not -path '*/generated/*')
	$(RUN_NPM) run build

$(BENCH_NODE): $(BENCH)/package-lock.json | $(VENV)
	$(BIN)/npm $(NPM_CI) --prefix $(BENCH)
	@touch $@

# Its dependencies are others than ours. A relative UV_PROJECT_ENVIRONMENT is below the project.
$(BENCH_ALERTA)/.made: $(BENCH_ALERTA:.venv=pyproject.toml) $(BENCH_ALERTA:.venv=uv.lock) $(UV)
	.tools/bin/uv sync --locked --quiet --project $(BENCH_ALERTA:.venv=) \
	   --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"
	@touch $@

$(NODE_TESTS): tests/node/package-lock.json | $(VENV)
	$(BIN)/npm $(NPM_CI) --prefix tests/node
	@touch $@
