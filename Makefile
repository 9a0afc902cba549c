# Two commands need nothing but a Rust toolchain: `make cluster` and `make test` install what else is
# missing (with sudo where that is needed) and say what they install. `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

# The one place for versions of what is installed from outside of Cargo.lock.
REDIS_PY := redis==7.4.1
IOREDIS := ioredis@5.11.1
CARGO_FUZZ := cargo-fuzz@0.13.2

# The local cluster.
NODES ?= 3
PORT ?= 7000
CORES ?= 1
DIR ?= ringslot-cluster
# How long each fuzz target runs.
FUZZ_SECONDS ?= 60
# Which run of the simulator: one seed, or how many.
SEED ?=
SEEDS ?= 1000
# More arguments for benches/run.
BENCH_ARGS ?=

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
TOOLS := $(abspath target/tools)
PYTHON := $(abspath target/python)
NODE := $(abspath target/node)
FUZZ_TARGETS := $(notdir $(basename $(wildcard tests/fuzz/fuzz_targets/*.rs)))

# Tools that this file installs are found first.
export PATH := $(TOOLS)/bin:$(PATH)
export RINGSLOT_PYTHON := $(PYTHON)/bin/python
export RINGSLOT_NODE_MODULES := $(NODE)/node_modules

# Installs the Debian packages of those commands (command:package ...) that are missing.
define install_missing
	packages=""
	for need in $(1); do
	    command -v "$${need%%:*}" >/dev/null || packages+=" $${need##*:}"
	done
	if [ -n "$$packages" ]; then
	    if ! command -v apt-get >/dev/null; then
	        echo "Please install these (there is no apt-get here to do it):$$packages" >&2
	        exit 1
	    fi
	    sudo=""
	    [ "$$(id -u)" = 0 ] || sudo=sudo
	    echo "==> installing with apt:$$packages"
	    $$sudo apt-get update -q
	    DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -q -y --no-install-recommends $$packages
	fi
endef

.PHONY: help
help: ## List the targets
	@echo "Targets (variables in brackets):"
	sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' Makefile | expand -t 14

.PHONY: cluster
cluster: build ## Start a local cluster in the foreground [NODES PORT CORES DIR]
	@exec "$(TARGET)/fast/ringslot" cluster --nodes $(NODES) --port $(PORT) --cores $(CORES) --dir "$(DIR)"

.PHONY: build
build: compiler ## Build the server with the quick optimised profile
	cargo build --profile fast --bin ringslot

.PHONY: test
test: build redis python node ## Run every test
	cargo test --workspace --no-fail-fast
	# The inputs that fuzzing once found; they are a workspace of their own.
	CARGO_TARGET_DIR="$(TARGET)/fuzz" cargo test --manifest-path tests/fuzz/Cargo.toml --test replay

.PHONY: check
check: lint ## What a commit has to pass: format, lints, unit tests
	cargo test --workspace --exclude ringslot-tests

.PHONY: lint
lint: compiler ## Check format and lints
	@for part in fmt clippy; do
	    if ! cargo $$part --version >/dev/null 2>&1; then
	        echo "==> installing with rustup: $$part"
	        rustup component add "$${part/fmt/rustfmt}"
	    fi
	done
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

.PHONY: sim
sim: compiler ## Run the simulator over SEEDS seeds, or one [SEED SEEDS]
	cargo run --profile fast -p ringslot-sim --bin sim -- $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

.PHONY: fuzz
fuzz: compiler ## Run each fuzz target for FUZZ_SECONDS [FUZZ_SECONDS FUZZ_TARGETS]
	@if ! cargo fuzz --version >/dev/null 2>&1; then
	    echo "==> installing with cargo: $(CARGO_FUZZ)"
	    cargo install --locked --root "$(TOOLS)" $(CARGO_FUZZ)
	fi
	for target in $(FUZZ_TARGETS); do
	    echo "==> $$target for $(FUZZ_SECONDS) seconds"
	    mkdir -p "tests/fuzz/corpus/$$target"
	    # Without a sanitizer it is four times faster, and there is little unsafe code to watch.
	    RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz -s none "$$target" \
	        "tests/fuzz/corpus/$$target" "tests/fuzz/seeds/$$target" -- -max_total_time=$(FUZZ_SECONDS)
	done

.PHONY: bench
bench: compiler redis ## Compare with the distribution's redis-server, into benches/results [BENCH_ARGS]
	cargo build --release --bin ringslot
	RINGSLOT_BIN="$(TARGET)/release/ringslot" benches/run $(BENCH_ARGS)

# glommio's build script calls a C compiler and git; the fuzzer's runtime is C++.
.PHONY: compiler
compiler:
	@if ! command -v cargo >/dev/null; then
	    echo "Ringslot is built with Rust: install a toolchain as https://rustup.rs tells, then try again." >&2
	    exit 1
	fi
	$(call install_missing,cc:build-essential c++:build-essential git:git)

# Debian keeps the server's program in redis-tools, under the name redis-check-rdb: it is what it is
# called. So tests get their yardstick without the package that would start a service on port 6379 now
# and at every boot.
.PHONY: redis
redis:
	@$(call install_missing,redis-cli:redis-tools redis-benchmark:redis-tools)
	if ! command -v redis-server >/dev/null; then
	    mkdir -p "$(TOOLS)/bin"
	    ln -sf "$$(command -v redis-check-rdb)" "$(TOOLS)/bin/redis-server"
	    if ! redis-server -v; then
	        rm "$(TOOLS)/bin/redis-server"
	        echo "Please install redis-server 7: this system's redis-tools does not hold it." >&2
	        exit 1
	    fi
	fi

.PHONY: python
python:
	@$(call install_missing,python3:python3)
	if [ "$$(cat "$(PYTHON)/installed" 2>/dev/null || true)" != "$(REDIS_PY)" ]; then
	    if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
	        $(call install_missing,no-such-command:python3-venv)
	    fi
	    echo "==> installing with pip into $(PYTHON): $(REDIS_PY)"
	    python3 -m venv --clear "$(PYTHON)"
	    "$(PYTHON)/bin/pip" install -q "$(REDIS_PY)"
	    echo "$(REDIS_PY)" >"$(PYTHON)/installed"
	fi

.PHONY: node
node:
	@$(call install_missing,node:nodejs npm:npm)
	if [ "$$(cat "$(NODE)/installed" 2>/dev/null || true)" != "$(IOREDIS)" ]; then
	    echo "==> installing with npm into $(NODE): $(IOREDIS)"
	    mkdir -p "$(NODE)"
	    npm install --silent --no-save --no-audit --no-fund --prefix "$(NODE)" "$(IOREDIS)"
	    echo "$(IOREDIS)" >"$(NODE)/installed"
	fi

.PHONY: clean
clean: ## Remove all that was built and installed here; not the local cluster's data
	cargo clean
	rm -rf target tests/fuzz/target
