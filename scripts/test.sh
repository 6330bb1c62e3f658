#!/usr/bin/env bash
# `make test`: the rules of the house, then every test in a release build and again under ASan and UBSan.
set -euo pipefail
cd "$(dirname "$0")/.."

# stage NAME COMMAND...: runs it and says how long it took.
stage() {
  local name=$1 start=$SECONDS
  shift
  printf '\n==> %s\n' "$name"
  "$@"
  printf '==> %s took %d s\n' "$name" $((SECONDS - start))
}

configure_and_build() {
  local preset=$1 folder=$2
  [[ -f $folder/build.ninja ]] || cmake --preset "$preset"
  cmake --build --preset "$preset" -j "$(nproc)"
}

stage "setup" scripts/setup.sh test
stage "layers" python3 scripts/check_layers.py --self-test
stage "format" scripts/format.sh --check
# Some tests read real models from the cache.
stage "model smollm2" scripts/fetch_model.sh smollm2
stage "model gemma3" scripts/fetch_model.sh gemma3
stage "release build" configure_and_build release build
stage "kernel symbols" scripts/check_kernel_symbols.sh build
stage "ASan and UBSan build" configure_and_build asan build-asan
stage "release tests" ctest --preset release -j "$(nproc)"

printf '\n==> ASan and UBSan tests, after %d s\n' "$SECONDS"
ctest --preset asan -j "$(nproc)"  # last, so that its summary is what the log ends with
