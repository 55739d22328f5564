# Everything a person or a machine needs to run here. `make demo` and `make test` set themselves up.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: setup demo test test-cluster format docs-tables dng-matrix clean
setup: .venv/setup.done

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Quietlight needs Python 3.11 or later: install it, or run make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "Python has no venv module here: install it first (Debian, Ubuntu: apt install python3-venv)"; exit 1; }

# torch first and by its exact version: see constraints.txt.
.venv/demo.done: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) torch==2.13.0
	$(PIP) -e '.[demo]'
	@touch $@

.venv/setup.done: .venv/demo.done
	$(PIP) -e '.[io,dev]' onnx onnxscript onnxruntime
	@touch $@

demo: .venv/demo.done
	$(BIN)/python tools/demo.py $(if $(PHOTO),--photo "$(PHOTO)") --out demo

test: .venv/setup.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest # on small arrays threads cost more than they bring

# A local Ray cluster of two workers, one of which is killed; the extra is large and so not part of `make setup`.
test-cluster: .venv/setup.done
	@if $(BIN)/python -c 'import ray.data, fsspec' 2>/dev/null; then $(BIN)/python -m pytest tests/batch/test_cluster.py; \
	else echo "SKIPPED: the tests of clusters need Ray: $(BIN)/python -m pip install -c constraints.txt -e '.[distributed]'"; fi

format: .venv/setup.done
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Opens our DNGs with other programs (darktable, RawTherapee, dcraw, exiftool) and writes docs/dng-matrix.md.
dng-matrix: .venv/setup.done
	$(BIN)/python tools/dng_matrix.py --out docs/dng-matrix.md

clean:
	rm -rf .venv demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
