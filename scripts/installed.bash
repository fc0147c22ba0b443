#!/usr/bin/env bash
# What scripts/install and scripts/uninstall share: the list of what was installed, whether a daemon runs, and the
# service managers. Sourced by both, and run by nobody.
# Written for the bash 3.2 and the tools of a bare macOS.
# shellcheck disable=SC2034 # its variables are used where it is sourced

[[ -n ${HOME:-} ]] || {
  printf '%s: there is no home folder (HOME)\n' "${0##*/}" >&2
  exit 1
}
own=$HOME/.config/anklet
configuration=$own/${ANKLET_CONFIG_FILE_NAME:-config.yml}
system=$(uname -s)

say() { printf '%s\n' "$*"; }
warn() { printf 'WARN: %s\n' "$*" >&2; }

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

absolute() {
  # shellcheck disable=SC2088 # a tilde that was written in a file
  case $1 in
    /*) printf '%s\n' "$1" ;;
    '~') printf '%s\n' "$HOME" ;;
    '~/'*) printf '%s\n' "$HOME/${1:2}" ;;
    *) printf '%s\n' "$PWD/$1" ;;
  esac
}

sha256() {
  local line
  if command -v sha256sum >/dev/null 2>&1; then line=$(sha256sum <"$1"); else line=$(shasum -a 256 <"$1"); fi
  printf '%s\n' "${line%% *}"
}

# setting KEY DEFAULT: a folder, as the variable, the top of the configuration, or the default has it.
setting() {
  local variable value
  variable=ANKLET_$(printf '%s' "$1" | tr '[:lower:]' '[:upper:]')
  value=${!variable:-}
  if [[ -z $value && -f $configuration ]]; then
    value=$(sed -n "s/^$1:[[:space:]]*//p" "$configuration" | sed -e 's/[[:space:]]#.*$//' -e 's/[[:space:]]*$//' |
      sed -e 's/^"\(.*\)"$/\1/' -e "s/^'\(.*\)'\$/\1/" | head -n 1)
  fi
  value=${value:-$2}
  # A service is started in this folder, so that other paths begin there.
  (cd "$own" 2>/dev/null || true; absolute "${value%/}")
}

# --- the list of what was installed: SHA-256, two spaces, path ---------------------------------------------------------

records=$own/installed
known=
fresh=
nl=$'\n'

begin_records() {
  known=
  if [[ -f $records ]]; then known=$(cat "$records"); fi
  fresh=
}

# recorded PATH: its SHA-256 as it was installed, or nothing.
recorded() {
  local line
  while IFS= read -r line; do
    if [[ ${line:66} == "$1" ]]; then
      printf '%s\n' "${line%% *}"
      return
    fi
  done <<<"$known"
}

record() { fresh+="$(sha256 "$1")  $1$nl"; }

# What an earlier run installed stays on the list, as long as it is there: of what the user changed, as it was then.
write_records() {
  local line
  while IFS= read -r line; do
    if [[ -z $line || ! -e ${line:66} ]]; then continue; fi
    case $fresh in *"  ${line:66}$nl"*) ;; *) fresh+=$line$nl ;; esac
  done <<<"$known"
  if [[ $known == "${fresh%"$nl"}" ]]; then return; fi
  mkdir -p "$own"
  printf '%s' "$fresh" >"$records.new"
  mv -f "$records.new" "$records"
}

# --- whether a daemon runs -------------------------------------------------------------------------------------------

# is_locked FILE: whether a process holds it. The locks are the daemon's; what is in the files does not matter.
is_locked() {
  [[ -f $1 ]] || return 1
  if command -v flock >/dev/null 2>&1; then
    ! flock --nonblock --shared "$1" true
  elif command -v perl >/dev/null 2>&1; then
    ! perl -e 'use Fcntl ":flock"; open(my $f, "<", $ARGV[0]) or exit 0; exit !flock($f, LOCK_SH | LOCK_NB)' "$1"
  else
    fail "neither flock nor perl is there to see whether a daemon runs"
  fi
}

# Each daemon of this user, an aggregator too, leaves a note here, whatever its configuration is called and says: its
# process and its state_dir, a line each. It holds the note's lock, and leaves the note when its journal is open.

# running: whether a daemon of this user runs, and which.
running() {
  local note
  for note in "$own"/run/daemon-*.lock; do
    if is_locked "$note"; then
      printf 'process %s\n' "$(head -n 1 "$note")"
      return 0
    fi
  done
  return 1
}

# states: the folders with the state of this user's daemons, as the configuration and their notes have it.
states() {
  local note
  {
    setting state_dir "$own/state"
    for note in "$own"/run/daemon-*.lock; do
      if [[ -f $note ]]; then sed -n 2p "$note"; fi
    done
  } | sort -u
}

# --- service managers ------------------------------------------------------------------------------------------------

if [[ $system == Darwin ]]; then
  service_file=$HOME/Library/LaunchAgents/anklet.plist
  service=gui/$(id -u)/anklet
  stop_service="launchctl bootout $service"
else
  service_file=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user/anklet.service
  service=anklet.service
  stop_service="systemctl --user stop $service"
fi

# What the service was last started with by scripts/install.
service_mark=$own/installed.service

service_runs() {
  local said
  if [[ $system == Darwin ]]; then
    said=$(launchctl print "$service" 2>/dev/null) || return 1
    [[ $said == *'pid = '* ]]
  else
    systemctl --user --quiet is-active "$service" 2>/dev/null
  fi
}

# bootout returns before the end of what it ends.
launchd_unload() {
  local left=60
  launchctl bootout "$service" 2>/dev/null || true
  while launchctl print "$service" >/dev/null 2>&1; do
    if [[ $left -eq 0 ]]; then fail "launchd does not end $service; see launchctl print $service"; fi
    left=$((left - 1))
    sleep 1
  done
}

service_restart() {
  if [[ $system == Darwin ]]; then
    mkdir -p "$HOME/Library/Logs"
    launchd_unload
    launchctl bootstrap "${service%/*}" "$service_file" || fail "launchd does not start $service_file"
  else
    systemctl --user daemon-reload || fail "systemd does not answer for this user; is there a log-in session of it?"
    systemctl --user --quiet enable "$service"
    systemctl --user restart "$service" || fail "systemd does not start $service; see systemctl --user status $service"
  fi
}

# service_forget: of one that does not run.
service_forget() {
  if [[ $system == Darwin ]]; then launchd_unload; else systemctl --user --quiet disable "$service" || true; fi
}
