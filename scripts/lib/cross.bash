# Compilers for other systems than this one, on Linux and on Macs. Sourced by scripts/check-macos and scripts/release,
# which set:
#
#   me        the script's name, for what it says
#   targets   Rust's names of the targets
#   root      a folder below the build folder; tools are unpacked into $root/tools
#   install   not empty: fetch what is missing
#
# and read, once find_std and find_cc have returned: build_std (cargo's options) and zig (empty on a Mac).
# Written for bash 3.2.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # set, or read, by who sources it

ZIG=0.17.1

tools=$root/tools
rustc=${RUSTC:-rustc}
build_std=()

say() { printf '%s: %s\n' "$me" "$*"; }

skip() {
  local remedy=
  if [[ -z $install ]]; then remedy="; \"scripts/$me --install\" fetches what can be had"; fi
  printf '%s: SKIPPED, nothing was done: %s%s\n' "$me" "$*" "$remedy" >&2
  exit 77
}

have() { command -v "$1" >/dev/null 2>&1; }

# quietly COMMAND…: its output only when it fails.
quietly() {
  local output
  if ! output=$("$@" 2>&1 </dev/null); then
    printf '%s\n' "$output" | tail -n 5 >&2
    return 1
  fi
}

# --- the standard library ------------------------------------------------------------------------------------------

# Whether the compiler carries the standard library of every target.
has_std() {
  local lib target file
  lib=$("$rustc" --print sysroot 2>/dev/null)/lib/rustlib
  for target in "${targets[@]}"; do
    for file in "$lib/$target"/lib/libstd-*.rlib; do [[ -e $file ]] || return 1; done
  done
}

# Writes a compiler of our own that finds its libraries in the folder where Debian's packages were unpacked.
write_rustc() {
  local libs
  libs=$(dirname "$(find "$tools/usr/lib" -name 'librustc_driver-*.so' | head -n 1)")
  printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s/usr/bin/rustc" "$@"\n' "$libs" "$tools" >"$tools/rustc"
  chmod +x "$tools/rustc"
}

# Debian's compiler for its browsers is new enough when its system one is not, and comes with the library's source.
# Unpacked, not installed: its packages conflict with rustup's.
fetch_debian_rustc() {
  local names package folder=$tools/deb
  mkdir -p "$folder" && rm -f "$folder"/*.deb
  names=$(apt-get install --simulate --no-install-recommends rustc-web rust-web-src 2>/dev/null |
    awk '/^Inst (rustc-web|rust-web-src|libstd-rust-web|libllvm)/ { print $2 }')
  case $names in *rust-web-src*) ;; *) return 1 ;; esac
  say "downloads from Debian:" "${names//$'\n'/ }"
  # shellcheck disable=SC2086 # one word for each package
  (cd "$folder" && quietly apt-get download $names) || return 1
  for package in "$folder"/*.deb; do
    # Of the source only the library: the compiler's own is three quarters of a gigabyte.
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$tools" --exclude='*/src/tools' --exclude='./usr/src/*/compiler' \
      --exclude='*/src/doc' --exclude='./usr/share' || return 1
  done
  rm -rf "$folder"
  write_rustc
}

# Whether this compiler can read a crate whose rust-version is ours.
new_enough() {
  local wanted found
  wanted=$(sed -n 's/^rust-version = "1\.\([0-9]*\).*/\1/p' Cargo.toml)
  found=$("$1" --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
  [[ -n $found && $found -ge $wanted ]]
}

use_debian_rustc() {
  local source
  for rustc in "$tools/rustc" /usr/bin/rustc; do
    source=$("$rustc" --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library
    if new_enough "$rustc" && [[ -f $source/std/Cargo.toml ]]; then
      # Both are cargo's and the compiler's own words for building the library with the crate.
      export RUSTC=$rustc RUSTC_BOOTSTRAP=1
      build_std=(-Z "build-std=std,panic_unwind")
      return 0
    fi
  done
  return 1
}

find_std() {
  if has_std; then return; fi
  if [[ -n $install ]] && have rustup; then
    say "adds ${targets[*]} to rustup's toolchain"
    quietly rustup target add "${targets[@]}" || say "rustup cannot add them"
    if has_std; then return; fi
  fi
  if use_debian_rustc; then return; fi
  if [[ -n $install ]] && have apt-get && have dpkg-deb; then
    if ! apt-cache show rustc-web >/dev/null 2>&1 && [[ $(id -u) -eq 0 ]]; then quietly apt-get update || true; fi
    if fetch_debian_rustc && use_debian_rustc; then return; fi
  fi
  skip "there is no standard library for them (rustup target add ${targets[*]})"
}

# --- the C compiler ------------------------------------------------------------------------------------------------

zig=

# Whether there is a zig; its path is then in $zig.
find_zig() {
  local there
  for there in "$tools/zig/ziglang/zig" "$(command -v zig || true)"; do
    if [[ -n $there ]] && "$there" version >/dev/null 2>&1; then
      zig=$there
      return 0
    fi
  done
  return 1
}

# zig's name of a target; the numbers are the oldest macOS that the binary runs on.
zig_target() {
  case $1 in
    x86_64-apple-darwin) echo x86_64-macos.10.13 ;;
    aarch64-apple-darwin) echo aarch64-macos.11.0 ;;
    x86_64-unknown-linux-musl) echo x86_64-linux-musl ;;
  esac
}

# write_cc TARGET: a compiler and linker that speaks zig's names of targets where the cc crate and rustc speak others.
write_cc() {
  cat >"$tools/cc-$1" <<END
#!/usr/bin/env bash
# Made by scripts/lib/cross.bash.
arguments=()
skip=
for argument; do
  if [[ -n \$skip ]]; then skip=; continue; fi
  case \$argument in
    --target=* | -mmacosx-version-min=* | -mmacos-version-min=*) ;;
    -isysroot | -arch) skip=yes ;;
    *) arguments+=("\$argument") ;;
  esac
done
exec "$zig" cc -target $(zig_target "$1") "\${arguments[@]}"
END
  chmod +x "$tools/cc-$1"
}

fetch_zig() {
  if ! python3 -m pip --version >/dev/null 2>&1 && have apt-get && [[ $(id -u) -eq 0 ]]; then
    say "installs python3-pip"
    quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3-pip || return 1
  fi
  say "downloads ziglang $ZIG from PyPI"
  quietly python3 -m pip install --quiet --no-deps --upgrade --target "$tools/zig" "ziglang==$ZIG"
}

find_cc() {
  local target name
  if [[ $(uname -s) == Darwin ]]; then return; fi
  if ! find_zig && [[ -n $install ]]; then
    fetch_zig || say "there is no zig to be had"
    find_zig || true
  fi
  if [[ -z $zig ]]; then skip "there is no C compiler for them (zig, or python3 with pip)"; fi
  for target in "${targets[@]}"; do
    write_cc "$target"
    name=${target//-/_}
    export "CC_$name=$tools/cc-$target" "AR_$name=ar"
  done
  # The cc crate and rustc would ask xcrun where Apple's SDK lies; zig carries its headers, and any folder will do.
  export SDKROOT=$PWD/scripts/lib/macos ZIG_GLOBAL_CACHE_DIR=$root/zig ZIG_LOCAL_CACHE_DIR=$root/zig
}
