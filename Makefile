PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test lint docs clean

$(BIN)/neuroloom: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(BIN)/neuroloom pyproject.toml
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(BIN)/neuroloom  ## install, and tell simulated Alzheimer's disease from ageing
	$(BIN)/neuroloom run alzheimers-mri --out runs/demo

test: $(VENV)/.dev  ## the whole suite
	$(BIN)/ruff check src tests benchmarks studies
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check src tests benchmarks studies
	$(BIN)/ruff format --check src tests benchmarks studies

$(VENV)/.docs: $(BIN)/neuroloom pyproject.toml
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[docs]'
	@touch $@

docs: $(VENV)/.docs  ## the pages, with a gallery made from the recipes, into site/
	$(BIN)/python docs/make_gallery.py
	$(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) build dist site docs/gallery *.egg-info src/*.egg-info .pytest_cache .ruff_cache
