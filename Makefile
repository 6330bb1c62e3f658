# The short way to everything. CMakePresets.json is the long way.

export MODEL  ?=
export PROMPT ?= Explain in three sentences why the sky is blue.

# ccache, where it is installed, makes the second build of anything short.
CCACHE := $(shell command -v ccache)
ifneq ($(CCACHE),)
export CMAKE_C_COMPILER_LAUNCHER ?= $(CCACHE)
export CMAKE_CXX_COMPILER_LAUNCHER ?= $(CCACHE)
endif

.DEFAULT_GOAL := build
.PHONY: build run test format bench clean help

build:  ## build/ridgeline, after installing what the build lacks (the default)
	@scripts/setup.sh
	@test -f build/build.ninja || cmake --preset release
	@cmake --build --preset release --target ridgeline

run: build  ## build, fetch the default model once, generate text; MODEL=file.gguf PROMPT="..." choose others
	@model=$${MODEL:-$$(scripts/fetch_model.sh)} && build/ridgeline run "$$model" "$$PROMPT" --temp 0

test:  ## check layers and format, then run every test, plain and under ASan and UBSan
	@scripts/test.sh

format:  ## format every C++ file with clang-format 19
	@scripts/setup.sh test
	@scripts/format.sh

bench: build  ## tokens per second beside what this machine's memory and arithmetic allow
	@model=$${MODEL:-$$(scripts/fetch_model.sh)} && build/ridgeline bench "$$model"

clean:  ## remove what was built; the model stays in the cache
	rm -rf build build-debug build-asan build-tsan

help:  ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16
