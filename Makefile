# Facet. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
WORKERS ?= 2
VIEWERS ?= 4
SOURCES := Home.py pages core models tests
RUN_READY := $(VENV)/.run-ready
TEST_READY := $(VENV)/.test-ready

.PHONY: help run test check test-fast test-deploy load first-page format benchmark results wheels screenshots clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(RUN_READY) ## set everything up and serve the app on port 8501 (PORT=...)
	$(BIN)/streamlit run Home.py --server.port $(PORT)

test: $(TEST_READY) ## set everything up and run every check and test
	@$(MAKE) --no-print-directory check
	@command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null || \
	    $(BIN)/python -m playwright install chromium || true
	tests/e2e/run.sh $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist load $(PYTEST_ARGS)

check: $(TEST_READY) ## format, lint and types
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy

test-fast: $(TEST_READY) ## unit and page tests only
	$(BIN)/python -m pytest tests --ignore tests/e2e --numprocesses $(WORKERS) --dist load $(PYTEST_ARGS)

test-deploy: $(TEST_READY) ## try deploy/ on machines of its own (root; Debian's caddy, coturn, nftables, libnss3-tools)
	$(BIN)/python -m pytest tests/e2e/deployed.py $(PYTEST_ARGS)

load: $(TEST_READY) ## measure live viewers at once (VIEWERS=...)
	tests/e2e/run.sh $(BIN)/python -m tests.e2e.load $(VIEWERS)

first-page: $(TEST_READY) ## measure how fast a browser gets the landing page
	tests/e2e/run.sh $(BIN)/python -m tests.e2e.first_page

format: $(TEST_READY) ## format the code
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

benchmark: $(RUN_READY) ## time every stage on this machine
	$(BIN)/python -m core benchmark

results: $(RUN_READY) ## write docs/results.md and the README's table from saved predictions
	$(BIN)/python -m models results

wheels: $(TEST_READY) ## check that every pinned package has a wheel for each platform
	.ci/check_wheels $(BIN)/uv

screenshots: test ## renew the README's pictures from those that the browser tests take
	mkdir -p docs/screenshots
	cp test-output/screenshots/live_playing.png docs/screenshots/live.png
	cp test-output/screenshots/image_result.png docs/screenshots/image.png
	cp test-output/screenshots/evaluation_emotion_accuracy.png docs/screenshots/evaluation.png

clean: ## remove the virtual environment and everything that tests and tools leave
	rm -rf $(VENV) test-output .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 to 3.13 is needed: apt-get install python3 python3-venv" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	    { echo "Python 3.11 to 3.13 is needed (TensorFlow has no other), $(PYTHON) is $$($(PYTHON) -V)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "Python's venv module is incomplete here: apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUN_READY): requirements.txt constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	touch $@

$(TEST_READY): requirements-dev.txt $(RUN_READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	touch $@
