# `make run` and `make test` set up all they need; the rest is for developers.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := deploy/locks/tests.txt
RIG := mosquitto debhelper mmdebstrap systemd-container e2fsprogs iproute2
ROOM := mosquitto prometheus prometheus-mqtt-exporter prometheus-alertmanager
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --quiet pyproject.toml
ARGS ?=
HOURS ?= 1
# Tests side by side: two more than there are cores, as many of them wait.
JOBS ?= $(shell expr $$(nproc) + 2)
SIDE_BY_SIDE = --numprocesses $(JOBS) --dist loadgroup --no-loadscope-reorder --durations 20

.PHONY: help run check test lint faults campaign emulated bench bench-models kills fuzz fleet control-room stale soak cuts mutants lock deb debian clean

help:
	@echo "make run    set up, then run the sign on a simulated street (ARGS='--site FILE' for yours)"
	@echo "make check  before each commit: lint, types, import contracts, and the tests that take moments"
	@echo "make test   the same, and all tests with processes, containers and long simulations (ARGS='-k WORD')"
	@echo "make lint   ruff, mypy, import contracts"
	@echo "make faults what the sign shows at each fault, and when, beside the promises (ARGS='FAULT')"
	@echo "make campaign  hundreds of faults on an installed unit in a container; prints one table (root)"
	@echo "make emulated  the arm64 packages, installed and run on this machine in emulation (root)"
	@echo "make bench  speed, size and memory, printed (ARGS='--row NAME', or --short to try it)"
	@echo "make bench-models  the counter against other networks and a pedestrian detector; REDROAD_DATA=FOLDER"
	@echo "make kills  SIGKILL report at 500 random moments under load; prints what arrived (ARGS=50)"
	@echo "make fuzz   tens of thousands of odd commands and messages (about an hour)"
	@echo "make fleet  many units' report programs against one broker; ARGS='--units 40'"
	@echo "make control-room  broker, Prometheus and alerts on this machine, with ten simulated sites; Ctrl-C ends it"
	@echo "make stale  who shows an old level, in every order of dying and coming back (root, 20 minutes)"
	@echo "make soak   the appliance for HOURS=1: slopes of memory, descriptors and threads, disk writes"
	@echo "make cuts   a network camera cut off 240 times: how soon that is told, and what grows (20 minutes)"
	@echo "make mutants  change the level machine in every small way; tests must notice (a quarter of an hour)"
	@echo "make deb    Debian packages for bookworm and trixie, amd64 and arm64, in dist/ (ARGS='--arch arm64')"
	@echo "make lock   write deploy/locks/*.txt anew (needs uv and a network)"
	@echo "make clean  remove all that was made: environment, caches, build/, dist/, out/, var/"

$(BIN)/redroad: $(LOCK) pyproject.toml
	$(PYTHON) deploy/check_python.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement $(LOCK)
	$(BIN)/pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

debian:
	@deploy/debian-packages $(NEEDS)

run: NEEDS := espeak-ng libespeak-ng1 alsa-utils
run: debian $(BIN)/redroad
	$(BIN)/redroad run $(ARGS)

lint: $(BIN)/redroad
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

TOOLS := espeak-ng libespeak-ng1 alsa-utils sox faketime systemd python3
check: NEEDS := $(TOOLS)
check: debian lint
	$(BIN)/pytest $(SIDE_BY_SIDE) -m "not processes and not slow" $(ARGS)

test: NEEDS := $(TOOLS) chromium xvfb $(RIG) $(ROOM)
test: debian lint
	$(BIN)/pytest $(SIDE_BY_SIDE) $(ARGS)

# What the panel showed, and when, at each fault: real processes, two minutes.
faults: NEEDS := alsa-utils faketime
faults: debian $(BIN)/redroad
	@$(BIN)/python -m hil.faults $(ARGS)

bench: NEEDS := alsa-utils
bench: debian $(BIN)/redroad
	$(BIN)/python -m tests.bench.bench $(ARGS)

# Hundreds of faults on a unit in a container, one table: as root.
campaign: NEEDS := $(RIG)
campaign: debian $(BIN)/redroad
	@$(BIN)/python -m hil.campaign $(ARGS)

# What arm64 computes, where no board is at hand: as root.
emulated: NEEDS := $(RIG) arch-test
emulated: debian $(BIN)/redroad
	@$(BIN)/python -m hil.container.emulated $(ARGS)

kills fleet soak: NEEDS := mosquitto
kills: debian $(BIN)/redroad
	$(BIN)/python -c "from hil.kills import main; main()" $(ARGS)

fleet: debian $(BIN)/redroad
	$(BIN)/python -m hil.fleet $(ARGS)

control-room: NEEDS := $(ROOM)
control-room: debian $(BIN)/redroad
	@$(BIN)/python -m hil.control_room $(ARGS)

# Who shows an old level, in every order of dying and coming back, with a real Home Assistant: root.
stale: NEEDS := mosquitto mmdebstrap
stale: debian $(BIN)/redroad
	@$(BIN)/python -m hil.stale_levels $(ARGS)

# The whole appliance for hours: what grows, and what wears the disk.
soak: debian $(BIN)/redroad
	$(BIN)/python -m hil.soak --hours $(HOURS) $(ARGS)

# A network camera that goes away and comes back, again and again.
cuts: $(BIN)/redroad
	$(BIN)/python -m hil.soak.cuts $(ARGS)

fuzz: $(BIN)/redroad
	HYPOTHESIS_PROFILE=fuzz $(BIN)/pytest --timeout 0 tests/report/test_fuzz.py $(ARGS)

# In a copy of what is committed, as each mutant is written into the file it changes.
mutants: $(BIN)/redroad
	@$(BIN)/python -c "import cosmic_ray" || \
		{ echo "mutants need cosmic-ray: $(BIN)/pip install -e '.[mutants]'"; exit 1; }
	rm -rf build/mutants && mkdir -p build/mutants && git archive HEAD | tar -x -C build/mutants
	cd build/mutants && PATH="$(CURDIR)/$(BIN):$$PATH" tests/mutants

bench-models: debian $(BIN)/redroad
	PYTHONPATH=$(CURDIR) $(BIN)/python -m models.comparison.benchmark $(ARGS)

deb: NEEDS := debhelper
deb: debian $(BIN)/redroad
	$(BIN)/python deploy/deb.py $(ARGS)

lock:
	$(COMPILE) --extra plots --output-file deploy/locks/appliance.txt
	$(COMPILE) --extra plots --extra hdmi --extra tflite --extra test --output-file $(LOCK)

clean:
	rm -rf $(VENV) build dist out var .mypy_cache .ruff_cache .pytest_cache .hypothesis
