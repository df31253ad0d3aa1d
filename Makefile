# Every target sets up .venv by itself from a bare Python 3.11 to 3.13: `make test`.
# With another Python than `python3`: `PYTHON=python3.12 make setup`.
# Nothing is installed outside this folder.

PYTHON ?= python3
BIN := .venv/bin

# uv trusts whom the machine trusts, and does without its cache where there is no home for it.
export UV_SYSTEM_CERTS := $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),1,0)
export UV_NO_CACHE := $(shell test -w "$$HOME" && echo 0 || echo 1)

PROTOS := $(sort $(shell find proto/privy -name '*.proto'))

# What `make check` runs; each is a target of its own: `make check-types`.
CHECKS := format lint types imports dependencies locks protos compatibility generated \
    dockerfiles schemas

.PHONY: setup venv lock generate errors schema demo up test bench check $(CHECKS:%=check-%)

setup: .venv/installed

# An environment is good for one folder and one Python: moved, or when another PYTHON is asked
# for, it is made anew.
ifneq ($(origin PYTHON),file)
ASKED_FOR := $(shell "$(PYTHON)" --version 2>&1 || echo missing)
endif
MADE_FOR := $(CURDIR) $(or $(ASKED_FOR),$(shell $(BIN)/python --version 2>/dev/null))
ifneq ($(MADE_FOR),$(shell cat .venv/installed 2>/dev/null))
.PHONY: .venv/installed
endif

.venv/installed: requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	@test "$(MADE_FOR)" = "$$(cat $@ 2>/dev/null)" || $(MAKE) --no-print-directory venv
	@echo "setup: installing requirements/dev.txt into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    --requirement requirements/bootstrap.txt
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes \
	    requirements/bootstrap.txt requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@echo "$(CURDIR) $$($(BIN)/python --version)" >$@

venv:
	@command -v "$(PYTHON)" >/dev/null || { \
	    echo "setup: there is no $(PYTHON); install Python 3.11, 3.12 or 3.13," \
	        "or name one: PYTHON=/path/to/python3.12 make setup" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	    echo "setup: $(PYTHON) is $$($(PYTHON) --version 2>&1), but 3.11, 3.12 or 3.13 is needed;" \
	        "name one: PYTHON=/path/to/python3.12 make setup" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "setup: $(PYTHON) cannot make virtual environments; on Debian and Ubuntu:" \
	        "apt install $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" \
	        >&2; exit 1; }
	@echo "setup: making .venv with $$($(PYTHON) --version)"
	@"$(PYTHON)" -m venv --clear .venv

# Pins every dependency; those already pinned stay. Registry addresses stay out of the files.
lock: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    pyproject.toml --output-file requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    pyproject.toml --group dev --constraints requirements/run.txt --output-file requirements/dev.txt

# $(call protoc,FOLDER) writes the code generated from every proto to FOLDER.
protoc = PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -I proto \
    --python_out=$(1) --grpc_python_out=$(1) --mypy_out=quiet:$(1) --mypy_grpc_out=quiet:$(1) $(PROTOS)

generate: setup
	$(call protoc,proto)

demo: setup
	$(BIN)/python -m devstack demo

up: setup
	$(BIN)/python -m devstack up

# Most of its time a test waits, for a server to start or for a lease to run out: three at a time, each
# file's on the same servers.
test: setup
	$(BIN)/pytest -n 3 --dist loadfile

# `make bench QUICK=1` only shows that all of it runs; `make bench ONLY=front,ledger` runs parts.
bench: setup
	@$(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

# Runs every check, then names those that failed.
check: setup
	@failed=""; for each in $(CHECKS); do \
	    echo "check: $$each"; \
	    $(MAKE) --no-print-directory check-$$each || failed="$$failed $$each"; \
	done; \
	test -z "$$failed" || { echo "check: failed:$$failed" >&2; exit 1; }; \
	echo "check: all passed"

check-format: setup
	@$(BIN)/ruff format --quiet --diff .

check-lint: setup
	@$(BIN)/ruff check --quiet .

check-types: setup
	@$(BIN)/mypy --no-error-summary

check-imports: setup
	@$(BIN)/lint-imports --no-logo

check-dependencies: setup
	@$(BIN)/deptry transaction_service wallet_service walletctl shared

# The environment was made from the locks: if it lacks nothing that pyproject.toml asks for, they
# are current. The images get requirements/run.txt, which must be a part of what was tested.
check-locks: setup
	@$(BIN)/uv pip install --python $(BIN)/python --dry-run --offline --group dev -r pyproject.toml 2>&1 \
	    | grep -q 'Would make no changes' \
	    && ! grep '==' requirements/run.txt | grep -vxFf requirements/dev.txt \
	    || { echo "the lock files are not current: make lock" >&2; exit 1; }

check-protos: setup
	@$(BIN)/buf lint proto

check-compatibility: setup
	@.ci/breaking

check-generated: setup
	@fresh="$$(mktemp -d)" && trap 'rm -rf "$$fresh"' EXIT && $(call protoc,"$$fresh") && \
	diff --recursive --brief --exclude='*.proto' --exclude=__pycache__ "$$fresh/privy" proto/privy \
	    || { echo "the generated code is not current: make generate" >&2; exit 1; }

check-dockerfiles: setup
	@$(BIN)/hadolint Dockerfile.transaction Dockerfile.wallet

check-schemas: setup
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.gitlab-ci .gitlab-ci.yml

errors: setup
	$(BIN)/python -m devstack.error_page

schema: setup
	$(BIN)/python -m devstack.schema
