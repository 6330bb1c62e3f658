#!/usr/bin/env bash
# Installs what the build needs and this machine lacks. Runs nothing when nothing is missing.
#
#   scripts/setup.sh          what `make` and `make run` need
#   scripts/setup.sh test     and what `make test` needs besides
#
# Without the rights to install it prints the command to run, and exits 69.
set -euo pipefail

rust_minimum=1.87  # the newest minimum among the crates of src/text/rust/Cargo.lock
unavailable=69     # the exit code for "not available", as in src/base/error.h

# One row per need: Debian's package, and the commands that do as well when they come from elsewhere.
needs=(
  "build-essential g++ make"
  "cmake cmake"
  "ninja-build ninja"
  "pkgconf pkg-config"
  "python3 python3"
  "nlohmann-json3-dev"
  "libcli11-dev"
  "libfmt-dev"
  "libgtest-dev"
  "libedit-dev"
  "libcurl4-openssl-dev"
)
[[ ${1:-} != test ]] || needs+=("clang-format-19 clang-format-19")

say() { printf 'setup: %s\n' "$*" >&2; }

die() {
  say "$@"
  exit "$unavailable"
}

have() {
  local command
  for command in "$@"; do command -v "$command" >/dev/null || return 1; done
}

# The packages of "$@" that dpkg does not list as installed.
not_installed() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' || true)
  local package
  for package in "$@"; do grep -qx "$package" <<<"$installed" || printf '%s\n' "$package"; done
}

# True when the cargo and rustc that the build will find are new enough; it looks where src/text/folder.cmake looks.
rust_is_ready() {
  local cargo rustc version
  local PATH=${HOME:-/root}/.cargo/bin:$PATH
  cargo=$(command -v cargo) && rustc=$(command -v rustc) || return 1
  "$cargo" --version >/dev/null 2>&1 || return 1
  version=$("$rustc" --version 2>/dev/null | cut -d' ' -f2)
  printf '%s\n' "$rust_minimum" "$version" | sort -V -C
}

on_debian() { have dpkg-query apt-get; }

# Fills `missing` with packages to install.
find_missing() {
  missing=()
  local row fields candidates=()
  for row in "${needs[@]}"; do
    read -ra fields <<<"$row"
    ((${#fields[@]} > 1)) && have "${fields[@]:1}" || candidates+=("${fields[0]}")
  done
  python3 -m pip --version >/dev/null 2>&1 || candidates+=(python3-pip)
  ((${#candidates[@]} == 0)) || mapfile -t missing < <(not_installed "${candidates[@]}")
  rust_is_ready || missing+=(rustc-web cargo-web)
}

# Elsewhere only commands can be looked for; libraries are CMake's to find, and it names the one it lacks.
check_elsewhere() {
  local row fields lacking=()
  for row in "${needs[@]}"; do
    read -ra fields <<<"$row"
    have "${fields[@]:1}" || lacking+=("${fields[@]:1}")
  done
  python3 -m pip --version >/dev/null 2>&1 || lacking+=("pip for python3")
  rust_is_ready || lacking+=("rust >= $rust_minimum (rustup.rs)")
  ((${#lacking[@]} == 0)) && return
  say "this is not a Debian system, so nothing is installed here; please install: $(printf '%s, ' "${lacking[@]}" | sed 's/, $//')"
  die "libraries needed besides: fmt >= 9, nlohmann-json >= 3.11, CLI11 >= 2.1, GoogleTest >= 1.12, libedit, libcurl >= 7.85"
}

# Sets `root` to the words that make a command run as root, or gives up with the command to type.
become_root() {
  root=(env)
  ((EUID == 0)) && return
  if have sudo && { sudo -n true 2>/dev/null || [[ -t 0 && -t 2 ]]; }; then
    root=(sudo env)
    return
  fi
  say "installing what is missing needs root. Please run as root, then try again:"
  printf '\n  apt-get install --no-install-recommends %s\n\n' "${missing[*]}" >&2
  exit "$unavailable"
}

if ! on_debian; then
  check_elsewhere
  exit 0
fi

find_missing
((${#missing[@]} == 0)) && exit 0

become_root
say "installing ${missing[*]}"
"${root[@]}" apt-get update -qq || say "apt-get update failed; trying with the lists that are here"
# --no-remove: Debian's older rustc conflicts with rustc-web, and replacing it is the owner's decision.
"${root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends --no-remove "${missing[@]}" >&2 ||
  die "apt-get could not install ${missing[*]}; its messages above say why. By hand: apt-get install ${missing[*]}"

find_missing
((${#missing[@]} == 0)) || die "installed, yet not usable: ${missing[*]}." \
  "If that is Rust, an older cargo or rustc comes first: 'rustup update', or take it out of PATH"
