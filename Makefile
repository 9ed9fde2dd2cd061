# Daymark: `make demo` shows it, `make test` proves it. `make help` lists the rest.
#
# The set-up leaves a stamp for each stage in .venv, so that an interrupted one goes on where it stopped, and a second
# one does nothing. A stage runs again when what it depends on has changed.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.ONESHELL:
MAKEFLAGS += --no-print-directory

VENV := .venv
BENCH_VENV := .venv-bench
PYTHON := $(VENV)/bin/python
STAMPS := $(VENV)/stamps
JAR := jobs/java/target/daymark-batcher.jar
JAVA_SOURCES := $(shell find jobs/java -path '*/target' -prune -o -type f -print 2>/dev/null)

# Progress where somebody looks, one line a stage where nobody does. (In $(shell test -t 1) the output is a pipe.)
TTY := $(MAKE_TERMOUT)
PIP := $(PYTHON) -m pip --disable-pip-version-check $(if $(TTY),,--quiet --no-input)
MVN := mvn -B $(if $(TTY),--no-transfer-progress,--quiet)

# $(call stage,what it does,GiB that it may need,command): says what is being done and how long it took. What it needs is
# looked at first, and only when there is something to do.
define stage
MAKEFLAGS=--no-print-directory $(MAKE) prerequisites GIB=$(2); printf '%s …\n' "$(1)"; begun=$$SECONDS; $(3); printf '%s: %d s\n' "$(1)" $$((SECONDS - begun)); mkdir -p $(STAMPS); touch $@
endef

# How many processes play the real tests: each has a broker and a Flink cluster or a whole Daymark of its own, 4 GiB at most.
REAL_PROCESSES := $(shell awk '/^MemTotal/ {print ($$2 > 11 * 1048576) ? 2 : 1}' /proc/meminfo)

.PHONY: help setup demo test test-all browser amtool screenshots core play pure java-tests check client api-docs bench bench-smoke lint lock clean prerequisites

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(STAMPS)/project $(STAMPS)/compiled $(STAMPS)/broker $(STAMPS)/vendor $(STAMPS)/java $(JAR) ## Install everything into .venv (a few minutes the first time)

demo: setup ## Start everything with made-up traffic (PACK=name: of that pack); Ctrl-C stops it
	@exec $(VENV)/bin/daymark demo $(if $(PACK),--pack $(PACK))

test: setup core browser amtool ## Run all tests, also those on real Kafka, Flink, ClickHouse and Chromium
	@$(MAKE) play

play:
	@$(PYTHON) -m pytest -m "not real" -n 2 --dist loadfile --no-loadscope-reorder
	$(PYTHON) -m pytest -m real -n $(REAL_PROCESSES) --dist loadfile --no-loadscope-reorder

test-all: export DAYMARK_THOROUGH = 1
test-all: test ## All tests with ten times the random examples, and those that take long: for a night

browser: ## Install the Chromium that the tests of the screens look with, where it is missing
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || echo "daymark: no Chromium; the tests of the screens are skipped" >&2

amtool: setup ## Fetch Alertmanager's own client, with which a test asks our API, where it is missing
	@command -v amtool >/dev/null || test -x $(VENV)/amtool/usr/bin/amtool || {
	  mkdir -p $(VENV)/amtool; cd $(VENV)/amtool
	  { apt-get download -qq prometheus-alertmanager || { apt-get update -qq && apt-get download -qq prometheus-alertmanager; }; } 2>/dev/null
	  dpkg -x prometheus-alertmanager_*.deb . && rm prometheus-alertmanager_*.deb
	} || echo "daymark: no amtool; the test that uses it is skipped" >&2

screenshots: setup browser ## Take the pictures of the screens in docs/img anew
	@$(PYTHON) -m tests.browser.screenshots

core: $(STAMPS)/project ## Test the cores of items and alerts as plain Python; every branch of them must be passed
	@DAYMARK_PURE=1 $(PYTHON) -m coverage run -m pytest tests/udfs/core tests/udfs/alerting tests/udfs/operators tests/udfs/simulation
	@$(PYTHON) -m coverage report

pure: $(STAMPS)/project
	@DAYMARK_PURE=1 $(PYTHON) -m pytest tests/udfs/packs tests/packs

java-tests: $(JAR)
	@mvn -B --quiet -f jobs/java/pom.xml test

check: ## Lint, types, layers, then all tests, those in Java too, and whether it has become slow
	@$(MAKE) -j2 --output-sync setup lint java-tests pure core browser amtool
	$(MAKE) play
	$(MAKE) bench-smoke

client: setup ## Generate a Python client of the API into build/client
	@$(PYTHON) -m tests.client.generate

api-docs: setup ## Write the reference of routes in docs/api.md anew
	@$(PYTHON) -m tests.docs.write_api_page

bench: setup $(BENCH_VENV)/stamp ## Measure everything beside its peers and write docs/benchmarks.md (about an hour, on an idle machine)
	@$(PYTHON) -m tests.bench.smoke --record
	$(PYTHON) -m tests.bench $(SECTIONS)

bench-smoke: setup ## Has it become slow? Two minutes at most
	@$(PYTHON) -m tests.bench.smoke

lint: $(STAMPS)/project ## ruff, mypy and import-linter
	@$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	PYTHONPATH=. $(VENV)/bin/lint-imports

lock: setup ## Write requirements.lock anew from pyproject.toml
	@$(VENV)/bin/pip-compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	  --allow-unsafe --extra compile --extra dev --output-file requirements.lock pyproject.toml
	$(VENV)/bin/pip-compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	  --allow-unsafe --output-file tests/bench/requirements.lock tests/bench/requirements.in

clean: ## Remove what the set-up and the tests made (not .daymark, the data)
	@rm -rf $(VENV) $(BENCH_VENV) .bench jobs/java/target build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage

prerequisites:
	@command -v python3 >/dev/null || { echo "daymark: Python is not there. Install it: sudo apt-get install python3.11 python3.11-venv" >&2; exit 4; }
	python3 api/stack/prerequisites.py $(GIB)

$(STAMPS)/venv:
	@$(call stage,Python environment,4,python3.11 -m venv $(VENV))

$(STAMPS)/python: requirements.lock | $(STAMPS)/venv
	@$(call stage,Python packages,3,$(PIP) install --require-hashes -r requirements.lock)

$(STAMPS)/project: pyproject.toml $(STAMPS)/python
	@$(call stage,Daymark itself,1,$(PIP) install --quiet --no-deps --no-build-isolation --editable .)

# Bytewax, a peer, and matplotlib: nothing of them is needed outside the benchmark.
$(BENCH_VENV)/stamp: tests/bench/requirements.lock
	@$(call stage,Benchmark environment,1,python3.11 -m venv $(BENCH_VENV) && $(BENCH_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r tests/bench/requirements.lock)

# What is compiled is used only while the sources are the same, so a stale one does no harm.
$(STAMPS)/compiled: $(wildcard udfs/*/*.py) udfs/compiled.py | $(STAMPS)/project
	@$(call stage,Compiled core,1,$(PYTHON) -m udfs.compiled)

$(STAMPS)/broker: jobs/java/broker/pom.xml | $(STAMPS)/venv
	@$(call stage,Kafka broker,1,$(MVN) -f jobs/java/broker/pom.xml package)

# Maven's stages wait for each other: two at a time would write into one local repository.
$(STAMPS)/vendor: jobs/java/vendor/pom.xml | $(STAMPS)/broker
	@$(call stage,Editor of the pages,1,$(MVN) -f jobs/java/vendor/pom.xml package)

# The jar lies outside .venv, the connector inside: whichever of the two is gone, both are made.
$(STAMPS)/java $(JAR) &: $(JAVA_SOURCES) | $(STAMPS)/vendor
	@$(call stage,Java batcher and Kafka connector,1,$(MVN) -f jobs/java/pom.xml -Dmaven.test.skip package; touch $(STAMPS)/java $(JAR))
