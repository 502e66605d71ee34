# Everything sets up what it needs in .venv; the first two targets are all that a newcomer has to know.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PAGES := service/pages
MODULES := $(PAGES)/node_modules/.ready
ARGS ?=
# Without its compiled modules every process that starts would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: serve test check data bundle check-bundle bench wheel clean

serve: $(READY)  ## Serve the shipped graph at http://127.0.0.1:8800/
	$(BIN)/motorgraph serve $(ARGS)

test: $(READY)  ## The whole test suite
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

check: $(READY)  ## Lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

data: $(READY)  ## Rebuild data/built from the tables and mappings; ARGS=20-brands for one of them
	$(BIN)/python -m motorgraph.building $(ARGS)

bundle: $(MODULES)  ## Rebuild the scripts of the pages; needs Node 20, which nothing else does
	cd $(PAGES) && node build.mjs

check-bundle: $(MODULES)  ## Whether the scripts that ship are what their sources say, and the types of these
	cd $(PAGES) && node build.mjs --check && npx --no-install tsc

$(MODULES): $(PAGES)/package.json $(PAGES)/package-lock.json
	cd $(PAGES) && npm ci --ignore-scripts
	touch $@

bench: $(READY)  ## Against oxigraph, interleaved in one run; needs wrk
	$(BIN)/python -m bench.run $(ARGS)

wheel: $(READY)  ## The wheel and the source distribution in dist/
	$(BIN)/python -m build --outdir dist

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:  ## Remove what was built; the data folder stays
	rm -rf $(VENV) $(PAGES)/node_modules build dist .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
