# Thin on purpose: the work is done by `python -m igteach` (see `python -m igteach --help`), which also serves Windows.
PYTHON ?= python3.11
BIN := .venv/bin
COURSE ?= ../igteach-course
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help env lab test ci lessons assignment book bench

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

env: .venv/lessons.done ## make .venv with the pinned versions of the lessons

lab: .venv/lessons.done ## copy the lessons to work/ and open JupyterLab on lesson 00 (ARGS="--no-browser --port 8899")
	@echo "lab: your copies are in work/; opening JupyterLab"
	@$(BIN)/python -m igteach lab $(ARGS)

test: .venv/dev.done ## lint, types, unit tests and every solved notebook
	@echo "test: ruff, mypy, pytest with nbval"
	@$(BIN)/python -m igteach test

ci: .venv/dev.done ## make test, then the long checks
	@echo "ci: the tests, then the long checks"
	@$(BIN)/python -m igteach ci

lessons: .venv/dev.done ## rebuild the generated notebooks from notebooks/source
	@echo "lessons: building notebooks/ and notebooks/solved/"
	@$(BIN)/python -m igteach build

book: .venv/dev.done ## build the solved lessons into a web book in build/book/html
	@echo "book: building the web book"
	@$(BIN)/python -m igteach book

assignment: .venv/lessons.done ## make an assignment: make assignment LESSON=04 COURSE=../course
	@test -n "$(LESSON)" || { echo "assignment: say which, as in: make assignment LESSON=04"; exit 2; }
	@echo "assignment: lesson $(LESSON) for the course in $(COURSE)"
	@$(BIN)/python -m igteach assign $(LESSON) --out $(COURSE)

bench: .venv/dev.done ## time and memory beside Captum's, to docs/benchmarks (ARGS="--quick" for a minute)
	@echo "bench: beside Captum; the defaults take long"
	@OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/speed.py $(ARGS)

.venv/lessons.done: pyproject.toml constraints.txt
	@echo "env: installing the lessons' environment into .venv (a few minutes, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) torch -e '.[lessons,course]'
	@touch $@

.venv/dev.done: .venv/lessons.done
	@echo "env: adding the test tools"
	@$(PIP) -e '.[dev]'
	@touch $@
