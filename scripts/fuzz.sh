#!/usr/bin/env bash
# Fuzzes the parsers with libFuzzer under ASan and UBSan, one after the other, until each has made so many executions:
#   scripts/fuzz.sh [-n EXECUTIONS] [TARGET...]     (10,000,000 of every target of tests/fuzz; clang is needed)
# build-fuzz/TARGET.log is what libFuzzer said, build-fuzz/corpus/TARGET what it kept, so that a later run goes on from there.
# Several may run at a time, of different targets; ended by Ctrl-C or kill -INT of the fuzzer, one says how far it came.
# A finding is a file build-fuzz/found/TARGET-...: build-fuzz/tests/fuzz/TARGET_fuzz FILE runs it again.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=10000000
if [[ ${1:-} == -n ]]; then runs=$2; shift 2; fi

# The longest input of each: as long as the committed ones.
declare -A longest=([gguf]=2048 [safetensors]=1024 [hf_json]=2048 [tokenizer_json]=6144 [tokenizer]=512
                    [tokenizer_text]=512 [chat_template]=4608)
targets=("$@")
if (( ! $# )); then targets=(gguf safetensors hf_json tokenizer_json tokenizer tokenizer_text chat_template); fi
for target in "${targets[@]}"; do
  [[ -n ${longest[$target]:-} ]] || { echo "fuzz: no target $target; there are: ${!longest[*]}" >&2; exit 2; }
done

compiler=$(command -v clang++-14 || command -v clang++ || true)
[[ -n $compiler ]] || { echo "fuzz: clang is needed; on Debian: apt-get install clang" >&2; exit 69; }
mkdir -p build-fuzz
exec {lock}> build-fuzz/lock  # two builds in one directory spoil what ninja knows of it
flock "$lock"
[[ -f build-fuzz/build.ninja ]] ||
  cmake -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DRIDGELINE_SANITIZE=address,undefined -DRIDGELINE_FUZZ=ON
cmake --build build-fuzz --target "${targets[@]/%/_fuzz}"
exec {lock}>&-

failed=0
for target in "${targets[@]}"; do
  mkdir -p "build-fuzz/corpus/$target" build-fuzz/found
  # The time of an input is the clock's, of a fuzzer that may be kept waiting: a hang is told, what is slow is written down.
  options=(-runs="$runs" -max_len="${longest[$target]}" -timeout=1200 -report_slow_units=10 -rss_limit_mb=2048
           -print_final_stats=1 -artifact_prefix="build-fuzz/found/$target-")
  if [[ -f tests/fuzz/$target.dict ]]; then options+=(-dict="tests/fuzz/$target.dict"); fi
  status=0
  build-fuzz/tests/fuzz/"$target"_fuzz "${options[@]}" "build-fuzz/corpus/$target" "tests/fuzz/corpus/$target" \
    > "build-fuzz/$target.log" 2>&1 || status=$?
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "build-fuzz/$target.log")
  case $status in
    0) echo "$target: $executions executions, nothing found" ;;
    72) echo "$target: interrupted after $executions executions, nothing found"; exit 130 ;;
    *) echo "$target: a finding; the end of build-fuzz/$target.log says what" >&2; failed=1 ;;
  esac
done
exit $failed
