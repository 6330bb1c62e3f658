#!/usr/bin/env bash
# Looks into the objects of each instruction set for inline functions that the linker may choose for everyone.
#
# Every object that uses an inline function brings a copy, and the linker keeps one of them for the whole program. If that
# one was compiled with -mavx512f, a processor without AVX-512 dies in code that never asked for it. A copy is harmless
# when its name contains the set's own namespace, as in ridgeline::avx2::..., since no other object then has it.
#
#   scripts/check_kernel_symbols.sh build      the folder of a release build
set -euo pipefail
shopt -s globstar nullglob

folder=${1:?usage: check_kernel_symbols.sh BUILD_FOLDER}
objects=0
shared=0
for object in "$folder"/CMakeFiles/ridgeline_kernels_*.dir/**/*.o; do
  objects=$((objects + 1))
  set=${object#*/ridgeline_kernels_}
  set=${set%%.dir/*}
  # nm's W: weak functions, the kind of which the linker keeps one.
  while read -r name; do
    shared=$((shared + 1))
    printf '%s: %s\n' "${object#*.dir/}" "$name" >&2
  done < <(nm --demangle --defined-only "$object" | sed -n 's/^[0-9a-f]* W //p' | grep -v "ridgeline::$set::" || true)
done

if ((objects == 0)); then
  echo "check_kernel_symbols: $folder holds no object of an instruction set; build it first" >&2
  exit 1
fi
if ((shared > 0)); then
  echo "check_kernel_symbols: $shared functions above could be linked into code that any processor runs;" \
    "call fewer inline functions there, or put them into ridgeline::SET" >&2
  exit 1
fi
echo "check_kernel_symbols: $objects objects keep their instructions to themselves"
