# The front door. Each target sets up what it needs; see CONTRIBUTING.md for what lies behind.
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)

.DEFAULT_GOAL := help
.PHONY: help setup demo build test bench nightly lint format install clean

help: ## Show this list
	@echo 'make TARGET, where TARGET is one of:'
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-9s %s\n", $$1, $$2}' Makefile
	@echo 'Settings: JOBS=$(JOBS) (parallel compilers and tests), PREFIX=$(PREFIX), DESTDIR='

setup: ## Install the Debian packages that building and testing need
	@tools/setup

build: ## Build library and command into build/release
	@tools/setup build
	@mkdir -p build
	@cmake --preset release $(if $(filter install,$(MAKECMDGOALS)),-DCMAKE_INSTALL_PREFIX=$(PREFIX)) > build/release.log || { cat build/release.log; exit 1; }
	@cmake --build --preset release -j $(JOBS)

demo: build ## Build, then index, search and measure 4,400 real vectors
	@examples/demo.sh

test: ## Run every test: unit, sanitizers, 64-bit ARM, install, layers, lint, fuzz smoke
	@tools/setup
	@JOBS=$(JOBS) tools/test

bench: ## Run the micro-benchmarks and the demo's recall / speed table
	@tools/setup build test
	@JOBS=$(JOBS) tools/bench

nightly: ## `make test` for longer: more seeds and fuzzing; Windows and macOS; then the benchmarks
	@tools/setup build test lint cross nightly
	@JOBS=$(JOBS) tools/nightly

lint: ## Check format, layers, headers, spelling and clang-tidy
	@tools/setup
	@JOBS=$(JOBS) tools/lint

format: ## Format the sources
	@tools/setup lint
	@git ls-files -co --exclude-standard '*.cpp' '*.hpp' '*.h' | xargs clang-format -i

install: build ## Install library, headers and command under PREFIX (DESTDIR is put in front)
	@DESTDIR=$(DESTDIR) cmake --install build/release

clean: ## Remove all build output
	rm -rf build demo-out
