# Every target sets up .venv by itself from a bare Python 3.11 to 3.13.
# Nothing is installed outside this folder.

PYTHON ?= python3
BIN := .venv/bin

PROTOS := $(sort $(shell find proto -name '*.proto'))

.PHONY: setup lock generate

setup: .venv/installed

.venv/installed: requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/bootstrap.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/bootstrap.txt requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

# Pins every dependency anew. Registry addresses stay out of the files.
lock: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    pyproject.toml --output-file requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    pyproject.toml --group dev --constraints requirements/run.txt --output-file requirements/dev.txt

generate: setup
	cd proto && PATH="$(CURDIR)/$(BIN):$$PATH" ../$(BIN)/python -m grpc_tools.protoc -I . \
	    --python_out=. --grpc_python_out=. --mypy_out=. --mypy_grpc_out=. $(PROTOS:proto/%=%)
