# Everything a person or a machine needs to run here. `make demo` and `make test` set themselves up.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
SHELL := bash
endif
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
WEB_PIP := .venv-web/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: setup demo test test-fast test-runtime test-web test-wheel test-cluster graphs engines format docs docs-pictures dng-matrix clean
setup: .venv/setup.done

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Quietlight needs Python 3.11 or later: install it, or run make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "Python has no venv module here: install it first (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	@touch $@

# torch first and by its exact version: see constraints.txt.
.venv/demo.done: .venv/made pyproject.toml constraints.txt
	$(PIP) torch==2.13.0
	$(PIP) -e '.[demo,train]'
	@touch $@

.venv/setup.done: .venv/demo.done
	$(PIP) -e '.[io,dev]'
	@touch $@

.venv/fast.done: .venv/setup.done
	$(PIP) -e '.[fast]'
	@touch $@

demo: .venv/demo.done
	$(BIN)/python tools/demo.py $(if $(PHOTO),--photo "$(PHOTO)") --out demo

test: .venv/setup.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest # on small arrays threads cost more than they bring

# Every engine on every network of ours, with OpenVINO, too.
test-fast: .venv/fast.done
	$(BIN)/python -m pytest tests/engine tests/test_export.py

# An empty environment, a wheel, no torch: what it takes, and whether it works.
test-runtime: .venv/setup.done
	QUIETLIGHT_TEST_INSTALL=1 $(BIN)/python -m pytest -s tests/test_runtime_install.py

# Graphs of the networks without weights, after a network or its arguments changed; and what engines cost and lose.
graphs: .venv/setup.done
	$(BIN)/python tools/graphs.py

engines: .venv/fast.done
	$(BIN)/python tools/engines.py

# A local Ray cluster of two workers, one of which is killed; the extra is large and so not part of `make setup`.
test-cluster: .venv/setup.done
	@if $(BIN)/python -c 'import ray.data, fsspec' 2>/dev/null; then $(BIN)/python -m pytest tests/batch/test_cluster.py; \
	else echo "SKIPPED: the tests of clusters need Ray: $(BIN)/python -m pip install -c constraints.txt -e '.[distributed]'"; fi

.venv-web/setup.done: pyproject.toml constraints.txt
	@$(PYTHON) -m venv .venv-web || { rm -rf .venv-web; echo "Python has no venv module here: install it first (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	$(WEB_PIP) torch==2.13.0
	$(WEB_PIP) -e '.[web,io]' pytest hypothesis playwright
	@touch $@

# The page of `quietlight serve` in a real browser; fails where there is none. Screenshots: web-screenshots/.
test-web: .venv-web/setup.done
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || [ "$$(id -u)" != 0 ] || { apt-get update -q && apt-get install -qy chromium; } || true
	.venv-web/bin/python -m pytest tests/web

# The wheel as a person gets it: installed into an empty environment, and examined from outside of the checkout.
test-wheel: .venv/made
	rm -rf dist .venv/wheel
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	$(BIN)/python -m venv .venv/wheel
	$(subst .venv,.venv/wheel,$(PIP)) "$$(echo dist/*.whl)[runtime]"
	cd dist && ../$(subst .venv,.venv/wheel,$(BIN))/quietlight doctor

format: .venv/setup.done
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The site in `site/`: every warning is an error.
.venv/docs.done: .venv/demo.done
	$(PIP) -e '.[docs]'
	@touch $@

docs: .venv/docs.done
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The site is in site/: open site/index.html"

# The pictures and plots of docs and README, made by the project from freely licensed photographs.
docs-pictures: .venv/docs.done
	$(BIN)/python tools/docs_pictures.py --out docs/pictures

# Opens our DNGs with other programs (darktable, RawTherapee, dcraw, exiftool) and writes docs/dng-matrix.md.
dng-matrix: .venv/setup.done
	$(BIN)/python tools/dng_matrix.py --out docs/dng-matrix.md

clean:
	rm -rf .venv .venv-web web-screenshots demo dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
