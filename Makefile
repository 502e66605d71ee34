# Everything sets up what it needs in .venv; the first two targets are all that a newcomer has to know.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
AUDIT := build/audit
PAGES := service/pages
MODULES := $(PAGES)/node_modules/.ready
ARGS ?=
READINGS := bench/readings
SERVERS ?= motorgraph,warm,durable,memory,rdflib,virtuoso
LARGE ?= motorgraph,durable,memory
SHIPPED ?= motorgraph,warm,durable,memory,virtuoso
SHORT ?= --seconds 1 --rounds 1 --most-seconds 5
# Without its compiled modules every process that starts would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: serve test check audit data bundle check-bundle fuzz bench wheel clean

serve: $(READY)  ## Serve the shipped graph at http://127.0.0.1:8800/
	$(BIN)/motorgraph serve $(ARGS)

test: $(READY)  ## The whole test suite
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(READY)  ## Lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(AUDIT)/.ready  ## Whether advisories are known of anything that is pinned; needs a network, and says so
	$(AUDIT)/bin/python .ci/advisories.py

$(AUDIT)/.ready: Makefile
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/pip install --quiet pip-audit==2.10.1 && touch $@ || echo "pip-audit could not be installed"

data: $(READY)  ## Rebuild data/built from the tables and mappings; ARGS=20-brands for one of them
	$(BIN)/python -m motorgraph.building $(ARGS)

bundle: $(MODULES)  ## Rebuild the scripts of the pages; needs Node 20, which nothing else does
	cd $(PAGES) && node build.mjs

check-bundle: $(MODULES)  ## Whether the scripts that ship are what their sources say, and the types of these
	cd $(PAGES) && node build.mjs --check && npx --no-install tsc

$(MODULES): $(PAGES)/package.json $(PAGES)/package-lock.json
	cd $(PAGES) && npm ci --ignore-scripts
	touch $@

fuzz: $(READY)  ## What reads the bytes of strangers, fuzzed by what code is reached; ARGS="--seconds 600 media" for one target
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[fuzz]'
	$(BIN)/python -m tests.fuzz $(ARGS)

# A goal that is missed ends a command with 1, which is no reason not to go on.
bench: $(VENV)/.bench-ready  ## Beside other servers, then the page that tells of it; 35 minutes of a quiet machine; needs wrk
	-$(BIN)/python -m bench.run --triples 100000 --connections 8 --servers $(SERVERS) $(SHORT) --warm-up 0 --json $(READINGS)/100000.json
	-$(BIN)/python -m bench.run --connections 1,8,32 --servers $(SERVERS) $(SHORT) --writes 10 --json $(READINGS)/1000000.json
	-$(BIN)/python -m bench.run --triples 10000000 --connections 8 --servers $(LARGE) $(SHORT) --most-seconds 12 --json $(READINGS)/10000000.json
	-$(BIN)/python -m bench.run --shipped --only 0,1,2 --connections 8 --servers $(SHIPPED) $(SHORT) --warm-up 0 --json $(READINGS)/shipped.json
	-$(BIN)/python -m bench.growth --triples 100000,1000000,10000000 --json $(READINGS)/growth.json
	-$(BIN)/python -m bench.entities --things 20 --seconds 1 --rounds 1 --json $(READINGS)/things.json
	$(BIN)/python -m bench.report --write

$(VENV)/.bench-ready: $(READY)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	touch $@

wheel: $(READY)  ## The wheel and the source distribution in dist/
	$(BIN)/python -m build --outdir dist

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:  ## Remove what was built; the data folder stays
	rm -rf $(VENV) $(PAGES)/node_modules build dist .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
