#!/usr/bin/env bash
# Formats the C++ of the house; with --check only says which files differ.
set -euo pipefail
cd "$(dirname "$0")/.."

# One version, because every version formats a little differently.
formatter=$(command -v clang-format-19 || command -v clang-format || true)
if [[ -z $formatter ]] || ! "$formatter" --version | grep -q 'version 19\.'; then
  echo "format: clang-format 19 is needed; on Debian: apt-get install clang-format-19" >&2
  exit 69
fi

mapfile -d '' files < <(find src tests bench \( -name '*.cpp' -o -name '*.h' \) -print0 | sort -z)
if [[ ${1:-} == --check ]]; then
  "$formatter" --dry-run -Werror "${files[@]}" || { echo "format: to fix, run 'make format'" >&2; exit 1; }
else
  "$formatter" -i "${files[@]}"
fi
