# `make quickstart` and `make test` work from a fresh clone: each makes its own environment once and reuses it.
# PY=python3.13 chooses another interpreter; ARGS="..." is passed on to pytest or to the benchmark.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PY ?= python3
ARGS ?=
VENV ?= .venv
PEERS ?= .venv-peers
BAMBI ?= .venv-bambi
BIN := $(VENV)/bin
PIP_FLAGS := --quiet --disable-pip-version-check

# PY as given or, where pyenv keeps that name off the path, pyenv's newest interpreter of it.
interpreter = "$$(if $(PY) -c '' 2>/dev/null; then echo $(PY); else \
	ls -d "$$(pyenv root 2>/dev/null)"/versions/*/bin/$(PY) 2>/dev/null | sort -V | tail -n 1 | grep . || echo $(PY); fi)"

# A Python on which pip installs ArviZ 1.x; fails where none is found.
NEWER = for py in python3.13 python3.12; do \
	if $$py -c '' 2>/dev/null || ls "$$(pyenv root 2>/dev/null)"/versions/*/bin/$$py >/dev/null 2>&1; then echo $$py; exit 0; fi; \
	done; exit 1

# An environment counts as made only when its stamp exists, and the stamp is written last: what an interrupted
# installation left behind is removed and made again, and so is an environment that was moved or lost its interpreter.
define new_environment
	@echo "Making $(1) (once)"
	@rm -rf $(1)
	@$(interpreter) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is %d.%d: make ... PY=python3.12" % sys.version_info[:2])'
	@$(interpreter) -m venv $(1)
endef
usable = $(if $(shell $(1)/bin/python -c '' 2>/dev/null && grep -sxF "$(CURDIR)" $(1)/.made),,FORCE)

# One environment, one installation at a time.
.NOTPARALLEL:
.PHONY: help quickstart test test-docs test-slow test-py coverage lint check bench bench-generalized bench-loading bench-corners bench-degrees bench-peers bench-posterior bench-profiles bench-replicates printed programs references convergence calibration study-bootstrap study-coverage study-laplace study-permutation study-priors study-robust study-singular tutorials notebooks docs study-rejection clean FORCE

help: ## what each command does
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

quickstart: $(VENV)/.quickstart ## fit a real data set by ML, REML and NUTS, print the table, save a plot
	@$(BIN)/python examples/quickstart.py

test: $(VENV)/.test ## the quick tests
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -m "not slow" -n auto --dist loadfile $(ARGS)

test-slow: $(VENV)/.test $(VENV)/.docs ## the tests that take longer, tutorials included
	@$(BIN)/python -m pytest -q -m slow $(ARGS)

test-docs: $(VENV)/.test $(VENV)/.docs ## the quick tests of pages, notebooks and what a shell offers, which need the extra docs too
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -m "not slow" -n auto --dist loadfile tests/documents/test_notebooks.py tests/documents/test_site.py tests/documents/test_tutorials.py tests/test_interactive.py $(ARGS)

test-py: ## the quick tests on another interpreter in an environment of its own: make test-py PY=python3.13
	@name=$$($(interpreter) -c 'import sys; print("py%d%d" % sys.version_info[:2])'); \
	$(MAKE) --no-print-directory test VENV=.venv-$$name

coverage: $(VENV)/.test ## the quick tests, and which lines they reach
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -m "not slow" -n auto --dist loadfile --cov --cov-report=term:skip-covered --cov-fail-under=70 $(ARGS)

lint: $(VENV)/.test ## ruff, mypy and the architecture test
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/python -m pytest -q tests/test_architecture.py

check: coverage lint ## what continuous integration runs with the lines reached, and the quick tests with ArviZ 1.x where a newer Python is at hand
	@if py=$$($(NEWER)); then $(MAKE) --no-print-directory test-py PY=$$py; \
	else echo "No Python 3.12 or newer is at hand: the tests with ArviZ 1.x were left out."; fi

bench: $(VENV)/.bench ## time ours against lme4, glmm and mixedlm in one run; writes benchmarks/results/
	@$(MAKE) --no-print-directory bench-peers || echo "The Python peers could not be installed: the table will say so."
	@$(BIN)/python benchmarks/linear.py --peers $(PEERS)/bin/python $(ARGS)

bench-generalized: $(VENV)/.bench ## the same for generalized models, against glmer, glmmTMB, glmm and mixedlm
	@$(MAKE) --no-print-directory bench-peers || echo "The Python peers could not be installed: the table will say so."
	@$(BIN)/python benchmarks/generalized.py --peers $(PEERS)/bin/python $(ARGS)

bench-profiles: $(VENV)/.bench ## time profile likelihoods and their limits against lme4 and mixedlm; writes benchmarks/results/profiles.md
	@$(MAKE) --no-print-directory bench-peers || echo "The Python peers could not be installed: the table will say so."
	@$(BIN)/python benchmarks/profiles.py --peers $(PEERS)/bin/python $(ARGS)

bench-corners: $(VENV)/.bench ## what was slow once: sparse designs, diagnoses, groups left out, Laplace beside NUTS; writes benchmarks/results/corners.md
	@$(BIN)/python benchmarks/corners.py $(ARGS)

bench-loading: $(VENV)/.bench ## processor time to load a saved fit in a new process; writes benchmarks/results/loading.md
	@$(BIN)/python benchmarks/loading.py $(ARGS)

bench-degrees: $(VENV)/.bench ## degrees of freedom against lmerTest, pbkrtest and mixedlm; writes benchmarks/results/degrees.md
	@$(MAKE) --no-print-directory bench-peers || echo "The Python peers could not be installed: the table will say so."
	@$(BIN)/python benchmarks/degrees.py --peers $(PEERS)/bin/python $(ARGS)

bench-replicates: $(VENV)/.bench ## bootstraps against lme4, pbkrtest and glmm; writes benchmarks/results/replicates.md
	@$(MAKE) --no-print-directory bench-peers || echo "The Python peers could not be installed: the table will say so."
	@$(BIN)/python benchmarks/replicates.py --peers $(PEERS)/bin/python $(ARGS)

bench-peers: $(PEERS)/.made ## only the environment of the Python peers
	@echo "$(PEERS) is ready"

bench-posterior: $(VENV)/.bench ## time NUTS against bambi with nutpie in one run (a quarter of an hour); writes benchmarks/results/
	@$(MAKE) --no-print-directory $(BAMBI)/.made || echo "bambi could not be installed: the table will say so."
	@$(BIN)/python benchmarks/posterior.py --bambi $(BAMBI)/bin/python $(ARGS)

programs: $(VENV)/.docs ## run one analysis in lme4, glmmTMB, bambi and ours, where they are installed; writes docs/from/programs/*/*.txt
	@$(BIN)/python docs/from/programs/run.py --bambi $(BAMBI)/bin/python $(ARGS)

printed: $(VENV)/.docs ## pages of docs/ with what their Python prints now; ARGS="guide/priors.md" for some of them
	@$(BIN)/python docs/_site/printed.py $(ARGS)

references: $(VENV)/.test ## estimates beside lme4's and glmmTMB's, every reference model; writes benchmarks/results/references.md
	@$(BIN)/python benchmarks/references.py $(ARGS)

convergence: $(VENV)/.bench ## NUTS at its defaults on every reference model; writes benchmarks/results/convergence.md
	@$(BIN)/python benchmarks/convergence.py $(ARGS)

calibration: $(VENV)/.bench ## simulation-based calibration of NUTS and of a wrong program (a quarter of an hour); writes benchmarks/results/calibration.md
	@$(BIN)/python benchmarks/calibration.py $(ARGS)

study-coverage: $(VENV)/.bench ## what intervals of predictions cover, for seen and new levels; writes benchmarks/results/coverage.md
	@$(BIN)/python benchmarks/coverage.py $(ARGS)

study-laplace: $(VENV)/.bench ## the Laplace posterior against NUTS; writes benchmarks/results/laplace.md
	@$(BIN)/python benchmarks/laplace.py $(ARGS)

study-priors: $(VENV)/.bench ## the default priors beside the rule that they replaced; writes benchmarks/results/default_priors.md
	@$(BIN)/python benchmarks/default_priors.py $(ARGS)

study-permutation: $(VENV)/.bench ## how often permutation tests of a true null hypothesis reject; writes benchmarks/results/permutation.md
	@$(BIN)/python benchmarks/permutation_study.py $(ARGS)

study-rejection: $(VENV)/.bench ## how often tests of a true null hypothesis reject, by test; writes benchmarks/results/rejection.md
	@$(BIN)/python benchmarks/rejection.py $(ARGS)

study-bootstrap: $(VENV)/.bench ## coverage of bootstrap intervals, levels of bootstrap tests; writes benchmarks/results/bootstrap.md
	@$(BIN)/python benchmarks/bootstrap_study.py $(ARGS)

study-robust: $(VENV)/.bench ## how often 5 % tests with cluster-robust standard errors reject; writes benchmarks/results/robust.md
	@$(BIN)/python benchmarks/robust.py $(ARGS)

study-singular: $(VENV)/.bench ## how often fits are singular and what intervals cover, by engine; writes benchmarks/results/singular.md
	@$(BIN)/python benchmarks/singular.py $(ARGS)

tutorials: notebooks ## run docs/tutorials and write their pages and notebooks; ARGS="sleepstudy" for some of them
	@$(BIN)/python docs/tutorials/build.py $(ARGS)

notebooks: $(VENV)/.docs ## write the notebooks of docs/tutorials, without running them
	@PYTHONPATH=docs $(BIN)/python -m _site.notebooks

docs: $(VENV)/.docs ## build the documentation into build/site/html and check its links; TUTORIALS=kept runs none of them anew
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m sphinx -q -b html -W --keep-going -n -d build/site/doctrees docs build/site/html $(ARGS)
	@$(BIN)/python docs/_site/links.py build/site/html

.PHONY: dist dist-check licences
dist: $(VENV)/.dist ## wheel and source archive in dist/, their descriptions and contents checked
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist .
	@$(BIN)/python -m twine check --strict dist/*
	@$(BIN)/check-wheel-contents dist/*.whl

dist-check: dist ## install the wheel into clean environments of every Python at hand, with and without matplotlib, and run the README's example
	@$(BIN)/python packaging/check_wheel.py dist/*.whl $(ARGS)

licences: ## list the licences of what is installed with the package in packaging/LICENCES.md
	@rm -rf .venv-licences
	@$(interpreter) -m venv .venv-licences
	@.venv-licences/bin/python -m pip install $(PIP_FLAGS) ".[all]"
	@.venv-licences/bin/python packaging/licences.py

clean: ## remove environments, caches and build products
	rm -rf docs/reference docs/results docs/guide/gallery.md docs/guide/thumbnails docs/changelog.md docs/messages.md
	rm -rf .venv .venv-* build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The extras share one environment: the first to be asked for makes it, the others add to it.
$(VENV)/.made: $(call usable,$(VENV))
	$(call new_environment,$(VENV))
	@echo "$(CURDIR)" > $@

$(VENV)/.quickstart $(VENV)/.test $(VENV)/.docs $(VENV)/.bench $(VENV)/.dist: $(VENV)/.%: pyproject.toml $(VENV)/.made
	@echo "Installing bayesmixed and what '$*' needs into $(VENV) (once, a few minutes)"
	@$(BIN)/python -m pip install $(PIP_FLAGS) -e ".[$*]"
	@touch $@

$(PEERS)/.made: benchmarks/peers/requirements.txt $(call usable,$(PEERS))
	$(call new_environment,$(PEERS))
	@$(PEERS)/bin/python -m pip install $(PIP_FLAGS) -r benchmarks/peers/requirements.txt
	@echo "$(CURDIR)" > $@

$(BAMBI)/.made: benchmarks/peers/requirements-bambi.txt $(call usable,$(BAMBI))
	$(call new_environment,$(BAMBI))
	@$(BAMBI)/bin/python -m pip install $(PIP_FLAGS) -r benchmarks/peers/requirements-bambi.txt
	@echo "$(CURDIR)" > $@

FORCE:
