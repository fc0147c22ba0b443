#!/usr/bin/env bash
# Puts GitHub's runner into this VM. Anklet copies it to the guest user's home and runs it there, without arguments.
#
# What is taken, the first that is there:
#   1. a runner that the template already carries: config.sh and run.sh in the runner's folder;
#   2. an archive that the host copied beside this script;
#   3. the release that the host resolved, downloaded.
# An archive whose SHA-256 is not the resolved one is never unpacked, and nothing is downloaded without one: the host
# has verified what it copied. A second run changes nothing.
#
#   ANKLET_RUNNER_HOME          the runner's folder (~/actions-runner)
#   ANKLET_RUNNER_ARCHIVE       the copied archive (~/actions-runner.tar.gz)
#   ANKLET_RUNNER_VERSION       the resolved release, such as 2.330.0
#   ANKLET_RUNNER_SHA256_X64    SHA-256 of its archive for Intel
#   ANKLET_RUNNER_SHA256_ARM64  SHA-256 of its archive for Apple silicon
#   ANKLET_RUNNER_URL_BASE      where releases lie (https://github.com/actions/runner/releases/download)
#
# Exit code: 0 the runner is there; 75 it is not, and no release was named: the host resolves one and calls again;
# 1 it is not, the reason is on standard error.
# Written for the bash 3.2 and the tools of a bare macOS.
set -euo pipefail

home=${ANKLET_RUNNER_HOME:-$HOME/actions-runner}
staging=

say() { printf 'install-runner: %s\n' "$*"; }

fail() {
  printf 'install-runner: %s\n' "$*" >&2
  exit 1
}

clean_up() { if [[ -n $staging ]]; then rm -rf "$staging"; fi; }

# An Intel shell under Rosetta says x86_64 on Apple silicon; the kernel does not.
architecture() {
  case $(uname -m) in
    arm64 | aarch64) echo arm64 ;;
    x86_64 | amd64)
      if [[ $(sysctl -n hw.optional.arm64 2>/dev/null || true) == 1 ]]; then echo arm64; else echo x64; fi
      ;;
    *) fail "there is no runner for this machine ($(uname -m))" ;;
  esac
}

sha256() {
  local line
  if command -v shasum >/dev/null 2>&1; then
    line=$(shasum -a 256 <"$1")
  elif command -v sha256sum >/dev/null 2>&1; then
    line=$(sha256sum <"$1")
  else
    fail "neither shasum nor sha256sum is there to check the archive"
  fi
  printf '%s\n' "${line%% *}"
}

# verify FILE SHA256 ORIGIN
verify() {
  local found
  found=$(sha256 "$1")
  [[ $found == "$2" ]] || fail "$3 is not what was released: SHA-256 is $found, expected $2"
}

# download URL FILE
download() {
  local only=()
  # Any place may be named, but one that began safe stays so.
  case $1 in https://*) only=(--proto '=https' --proto-redir '=https') ;; esac
  say "downloads $1"
  curl --fail --location --silent --show-error ${only[@]+"${only[@]}"} \
    --retry 3 --retry-delay 2 --connect-timeout 20 --speed-limit 1024 --speed-time 60 \
    --output "$2" "$1" </dev/null || fail "failed to download $1"
}

# unpack ARCHIVE: into the runner's folder, config.sh last, so that a torn unpacking is never taken for a runner.
unpack() {
  local new=$staging/runner entry name
  mkdir "$new"
  tar -xzf "$1" -C "$new" </dev/null || fail "failed to unpack the runner's archive"
  [[ -f $new/config.sh && -f $new/run.sh ]] || fail "the archive holds no runner (config.sh and run.sh)"
  mkdir -p "$home"
  rm -f "$home/config.sh"
  for entry in "$new"/* "$new"/.[!.]*; do
    name=${entry##*/}
    if [[ $name == config.sh || ! -e $entry ]]; then continue; fi
    rm -rf "${home:?}/$name"
    mv "$entry" "$home/$name"
  done
  mv "$new/config.sh" "$home/config.sh"
}

if [[ -f $home/config.sh && -f $home/run.sh ]]; then
  say "uses the runner that the template carries in $home"
  exit 0
fi
if [[ -n ${ANKLET_RUNNER_HOME:-} ]]; then say "ANKLET_RUNNER_HOME names $home: the runner goes there"; fi

machine=$(architecture)
version=${ANKLET_RUNNER_VERSION:-}
version=${version#v}
if [[ $machine == arm64 ]]; then expected=${ANKLET_RUNNER_SHA256_ARM64:-}; else expected=${ANKLET_RUNNER_SHA256_X64:-}; fi
expected=$(printf '%s' "$expected" | tr '[:upper:]' '[:lower:]')
if [[ -n $expected && ! $expected =~ ^[0-9a-f]{64}$ ]]; then fail "\"$expected\" is not a SHA-256"; fi

# Beside the runner's folder: one file system, so that the last move is a rename.
mkdir -p "$(dirname "$home")" || fail "failed to make $(dirname "$home")"
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
staging=$(mktemp -d "$(dirname "$home")/.anklet-runner.XXXXXX") || fail "failed to make a folder for the download"

archive=${ANKLET_RUNNER_ARCHIVE:-$HOME/actions-runner.tar.gz}
if [[ -f $archive ]]; then
  if [[ -n $expected ]]; then
    verify "$archive" "$expected" "the archive $archive"
  else
    say "takes $archive as it was copied: no SHA-256 was given to check it again"
  fi
else
  if [[ -n ${ANKLET_RUNNER_ARCHIVE:-} ]]; then say "$archive is not there"; fi
  if [[ -z $version ]]; then
    printf 'install-runner: no runner in %s, no archive at %s, and no release named (ANKLET_RUNNER_VERSION)\n' \
      "$home" "$archive" >&2
    exit 75
  fi
  [[ $version =~ ^[0-9]+(\.[0-9]+)+$ ]] || fail "\"$version\" is not a version of the runner"
  [[ -n $expected ]] || fail "no SHA-256 was resolved for runner $version on $machine, so it cannot be checked"
  base=${ANKLET_RUNNER_URL_BASE:-https://github.com/actions/runner/releases/download}
  archive=$staging/archive.tar.gz
  url=${base%/}/v$version/actions-runner-osx-$machine-$version.tar.gz
  download "$url" "$archive"
  verify "$archive" "$expected" "$url"
fi
unpack "$archive"
say "installed the runner${version:+ $version} for $machine in $home"
