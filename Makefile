# Thin on purpose: the work is done by `python -m igteach` (see `python -m igteach --help`), which also serves Windows.
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
BIN := .venv/bin
COURSE ?= ../igteach-course

.PHONY: help env dev lab test ci release lessons assignment book slides bench

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

env: ## make .venv with the pinned versions of the lessons, or mend it
	@$(PYTHON) tools/make_env.py lessons

dev: # the same with the test tools
	@$(PYTHON) tools/make_env.py dev

lab: env ## copy the lessons to work/ and open JupyterLab on lesson 00 (ARGS="--no-browser --port 8899")
	@echo "lab: your copies are in work/; opening JupyterLab"
	@$(BIN)/python -m igteach lab $(ARGS)

test: dev ## lint, types, unit tests and every solved notebook
	@echo "test: ruff, mypy, pytest with nbval"
	@$(BIN)/python -m igteach test

ci: dev ## make test, then the long checks, with samples of what is large
	@echo "ci: the tests, then the long checks"
	@$(BIN)/python -m igteach ci

release: dev ## every check, in full, in a fresh clone of the last commit; writes docs/checked.md (ARGS="tests course")
	@echo "release: everything; this takes long"
	@$(BIN)/python -m igteach release $(ARGS)

lessons: dev ## rebuild the generated notebooks from notebooks/source
	@echo "lessons: building notebooks/ and notebooks/solved/"
	@$(BIN)/python -m igteach build

book: dev ## build the solved lessons into a web book in build/book/html
	@echo "book: building the web book"
	@$(BIN)/python -m igteach book

slides: env ## write slides for a class, a page for each lesson, to build/slides (ARGS="04 05")
	@echo "slides: writing build/slides"
	@$(BIN)/python -m igteach slides $(ARGS)

assignment: env ## make an assignment: make assignment LESSON=04 COURSE=../course
	@test -n "$(LESSON)" || { echo "assignment: say which, as in: make assignment LESSON=04"; exit 2; }
	@echo "assignment: lesson $(LESSON) for the course in $(COURSE)"
	@$(BIN)/python -m igteach assign $(LESSON) --out $(COURSE)

bench: dev ## time and memory beside Captum's, to docs/benchmarks (ARGS="--quick" for a minute)
	@echo "bench: beside Captum; the defaults take long"
	@OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/speed.py $(ARGS)
