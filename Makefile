# Everything happens in .venv, from locked and hashed dependencies. "make" alone says what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first Python that really runs (a version manager's shim may not), is 3.11 or later and can make environments;
# failing that, the first that only lacks the venv module, so that the message below can say so.
# Looked for once, and only where it is needed.
ifndef PYTHON
PYTHON = $(eval PYTHON := $(shell for modules in sys,ensurepip,venv sys; do \
	for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c "import $$modules; sys.exit(sys.version_info < (3, 11))" >/dev/null 2>&1 && echo "$$python" && exit; \
	done; done))$(PYTHON)
endif
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PACKAGES := cds_service hooks
PYTHON_FILES := $(PACKAGES) tests

# The whole suite leaves no line or branch of the rules untried. Much of it waits for servers: files run side by side.
WHOLE := --numprocesses=4 --dist=loadfile --cov=hooks --cov-branch --cov-report=term --cov-fail-under=100

.PHONY: help setup demo test bench mutants fuzz faults load system coverage lint types quick format lock sbom audit clean

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.runtime  ## Make .venv with the locked dependencies and .venv/bin/cds-service

demo: setup  ## Serve the demo patients and print their cards; DEMO_ARGS=--once plays once and stops
	$(BIN)/cds-service demo $(DEMO_ARGS)

test: lint types  ## Run every check: lint, types, tests with the coverage of hooks/; TEST_ARGS go to pytest in its place
	$(BIN)/python -m pytest $(or $(TEST_ARGS),$(WHOLE))

bench: setup  ## Measure the service and print the figures
	$(BIN)/python -m tests.benchmark $(BENCH_ARGS)

mutants: $(VENV)/.test  ## Put faults into hooks/ one at a time: how many do the cases find? MUTANTS_ARGS=--sample 60 tries fewer
	$(BIN)/python -m tests.mutation $(MUTANTS_ARGS)

fuzz: $(VENV)/.test  ## Generated requests against the real server; FUZZ_ARGS="--requests 200000 --seed 7" asks more, from another seed
	$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

faults: $(VENV)/.test  ## FHIR servers that hang, drip, flood …: is every answer in time? FAULTS_ARGS=--overload asks too much at once
	$(BIN)/python -m tests.faults $(FAULTS_ARGS)

load: $(VENV)/.test  ## The servers under load and hurt: LOAD_ARGS="kill --database postgresql"; --help names the others
	$(BIN)/python -m tests.load $(LOAD_ARGS)

system:  ## Fetch nginx (into .venv/nginx) and install Chromium, where this machine (Debian) has none: some tests need them
	@$(nginx)
	@$(chromium)

lint: $(VENV)/.test  ## Ruff on the Python files, hadolint on the Dockerfile
	$(BIN)/ruff check $(PYTHON_FILES)
	$(BIN)/ruff format --check $(PYTHON_FILES)
	$(BIN)/hadolint Dockerfile

types: $(VENV)/.test  ## Mypy, strict, on both packages
	$(BIN)/mypy

quick: $(VENV)/.test  ## The tests without the slow ones, up to the first failure
	$(BIN)/python -m pytest --quiet --exitfirst -m "not slow"

coverage: $(VENV)/.test  ## The tests, and which lines and branches they leave out
	$(BIN)/python -m pytest --quiet --cov --cov-report=term-missing

format: $(VENV)/.test  ## Put the Python files into the one format and sort their imports
	$(BIN)/ruff check --fix-only --quiet $(PYTHON_FILES)
	$(BIN)/ruff format $(PYTHON_FILES)

sbom: $(VENV)/.test  ## Write dist/sbom.cdx.json: what the service is made of, as CycloneDX
	$(BIN)/python -m tests.sbom dist/sbom.cdx.json

audit: $(VENV)/.test  ## Ask which locked versions have known vulnerabilities; exit status 3 where nobody answers
	$(BIN)/python -m tests.vulnerabilities $(AUDIT_ARGS)

lock:  ## Write both lock files anew from setup.cfg and pyproject.toml (needs uv); LOCK_ARGS=--upgrade takes newer versions
	@command -v "$(UV)" >/dev/null || { echo "make lock needs uv: install it, or name it with UV=path/to/uv" >&2; exit 1; }
	@$(call compile,requirements.lock,--extra postgresql)
	@$(call compile,requirements-test.lock,--extra postgresql --extra test --constraints requirements.lock)

clean:  ## Remove .venv and what tools left behind
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

# What an editable install needs to be built is locked along with the rest, so that nothing is ever fetched unhashed.
define compile
set -e; "$(PYTHON)" -c 'import tomllib; \
print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
| "$(UV)" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-header --no-annotate --no-emit-index-url $(LOCK_ARGS) $(2) --output-file $(1) setup.cfg -; \
echo "wrote $(1)"
endef

# Not installed, only unpacked: that needs no rights, and starts no server on this machine. Apt checks the signature.
define nginx
PATH="$$PATH:/usr/sbin:/usr/local/sbin"; \
if command -v nginx >/dev/null || test -x $(VENV)/nginx/usr/sbin/nginx; then exit 0; fi; \
mkdir -p $(VENV)/nginx && cd $(VENV)/nginx || exit 1; \
apt-get --quiet=2 download nginx 2>/dev/null \
|| { apt-get --quiet=2 update && apt-get --quiet=2 download nginx; } >/dev/null 2>&1; \
dpkg --extract nginx_*.deb . 2>/dev/null && test -x usr/sbin/nginx \
|| echo "nginx is not here and cannot be fetched: the tests of deploy/nginx.conf are left out. On Debian and Ubuntu: apt install nginx"
endef

# Installed, for it needs some two hundred packages; not there, and no way to be root without a question: that is said.
define chromium
command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
root() { if test "$$(id -u)" = 0; then "$$@"; else sudo -n "$$@"; fi; }; \
install() { root env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 install --no-install-recommends chromium; }; \
{ install || { root apt-get --quiet=2 update && install; }; } >/dev/null 2>&1 </dev/null && command -v chromium >/dev/null \
|| echo "Chromium is not here and cannot be installed: tests/browser is left out. On Debian, as root: apt install chromium"; }
endef

# The stamps: an environment is filled anew only when a lock file or the packaging changes. The lock files name everything, so
# pip resolves nothing (older ones look past the pin of a package that another asks for with an extra); it checks the sum after.
$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed, and none was found:" \
	"install one, or name it with PYTHON=path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "Python 3.11 or later is needed: $(PYTHON) is older or does not run" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null \
	|| { echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@

$(VENV)/.runtime: requirements.lock setup.cfg pyproject.toml | $(VENV)/.made
	$(PIP) install --require-hashes --no-deps --requirement requirements.lock
	$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.test: requirements-test.lock | $(VENV)/.runtime
	$(PIP) install --require-hashes --no-deps --requirement requirements-test.lock
	$(PIP) check
	@$(nginx)
	@$(chromium)
	@touch $@
