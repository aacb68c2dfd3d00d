# Everything that is done to this checkout. Each target brings what it needs (tools/setup) and is quiet about it.
#   make test PYTEST_ARGS="tests/core -k order"     passes arguments to pytest
#   make bench BENCH_ARGS="…"                       to the measurements

.DEFAULT_GOAL := help
.PHONY: help demo test test-uml test-qemu nightly lint schema bench clean
export PATH := $(PATH):/usr/sbin:/sbin

PYTHON_IN_VENV := .venv/bin/python
PACKAGE := reconciler
SCRIPTS := .ci/run tools/in-namespace tools/setup $(wildcard tests/uml/run tests/uml/init tests/qemu/run tests/qemu/init tests/qemu/kernel)

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: ## the main job for real, proven with packets, in a throw-away namespace
	@tools/setup
	@tools/in-namespace $(PYTHON_IN_VENV) tools/demo.py $(DEMO_ARGS)

test: ## all tests that this kernel can run; says what was skipped and why
	@tools/setup
	@tools/in-namespace $(PYTHON_IN_VENV) -m pytest $(PYTEST_ARGS)

test-uml: ## the real-kernel tests on a user-mode kernel, which has what this one may lack
	@tools/setup uml
	@tests/uml/run $(PYTEST_ARGS)

test-qemu: ## the same on Debian's kernel in qemu, which has everything, and is slow
	@tools/setup qemu
	@tests/qemu/run $(PYTEST_ARGS)

nightly: ## thousands of random files, other ones each day, on this kernel and the user-mode one; test-qemu
	@tools/setup uml qemu
	@export RECONCILER_RANDOM_FILES_FROM=$$(date +%y%m%d0000); \
	RECONCILER_RANDOM_FILES=5000 tools/in-namespace $(PYTHON_IN_VENV) -m pytest tests/netns/test_random_files.py -q && \
	RECONCILER_RANDOM_FILES=5000 RECONCILER_THOROUGH=1 RECONCILER_UML_SECONDS=86400 tests/uml/run tests/netns/test_random_files.py -q && \
	RECONCILER_QEMU_SECONDS=14400 tests/qemu/run

lint: ## ruff, mypy, import-linter, shellcheck; generated files are current
	@tools/setup lint
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy $(PACKAGE)
	.venv/bin/lint-imports --no-logo
	@if command -v shellcheck >/dev/null; then echo shellcheck $(SCRIPTS); shellcheck $(SCRIPTS); fi
	$(PYTHON_IN_VENV) tools/schema.py --check
	$(PYTHON_IN_VENV) tools/reference.py --check

schema: ## write schemas/ and docs/reference.md anew from the kinds
	@tools/setup
	$(PYTHON_IN_VENV) tools/schema.py
	$(PYTHON_IN_VENV) tools/reference.py

bench: ## measure, beside the nearest peers
	@tools/setup bench
	@tools/in-namespace $(PYTHON_IN_VENV) tools/bench.py $(BENCH_ARGS)

clean: ## remove what the other targets made
	rm -rf .venv dist build .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
