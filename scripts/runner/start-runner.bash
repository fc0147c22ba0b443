#!/usr/bin/env bash
# Starts this VM's runner and returns while it runs. Anklet runs it in the guest user's home, without arguments.
#
# The runner gets a session of its own, so that it outlives this call, and an environment without Anklet's variables.
# Its output goes to anklet-runner.log in the runner's folder.
#
#   ANKLET_RUNNER_HOME      the runner's folder (~/actions-runner)
#   ANKLET_JIT_CONFIG_FILE  a just-in-time configuration, instead of a registration; the file is deleted once read
#
# Exit code: 0 the runner lives; 1 it does not, the reason and the end of its output are on standard error.
# Written for the bash 3.2 and the tools of a bare macOS.
set -euo pipefail

fail() {
  printf 'start-runner: %s\n' "$*" >&2
  exit 1
}

# A second without an end counts as a start: by then a missing program or a torn installation has shown itself.
# It costs the job nothing, since the runner signs in meanwhile.
looks=10

# detached COMMAND…: starts it in a session of its own; its process id is in $runner. macOS has no setsid(1).
# Its standard input is empty, so that nothing it starts can wait for a person.
detached() {
  if command -v setsid >/dev/null 2>&1; then
    setsid "$@" </dev/null >>"$log" 2>&1 &
  elif command -v perl >/dev/null 2>&1; then
    perl -MPOSIX -e 'POSIX::setsid(); exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\n"' \
      "$@" </dev/null >>"$log" 2>&1 &
  else
    # Job control gives it a process group of its own, and nohup lets it outlive the session.
    set -m
    nohup "$@" </dev/null >>"$log" 2>&1 &
    set +m
  fi
  runner=$!
}

# A runner that ends with 0 within that time has met GitHub or has not; only its output tells.
has_listened() { grep -qE 'Listening for Jobs|completed with result' "$log"; }

home=${ANKLET_RUNNER_HOME:-$HOME/actions-runner}
log=$home/anklet-runner.log

if [[ -n ${ANKLET_JIT_CONFIG_FILE:-} ]]; then
  # Read and gone before anything else can fail.
  jit=$(cat "$ANKLET_JIT_CONFIG_FILE" 2>/dev/null) || jit=
  rm -f "$ANKLET_JIT_CONFIG_FILE" || fail "failed to delete $ANKLET_JIT_CONFIG_FILE"
  [[ -n $jit ]] || fail "no just-in-time configuration in $ANKLET_JIT_CONFIG_FILE"
  export ACTIONS_RUNNER_INPUT_JITCONFIG=$jit
fi

[[ -f $home/run.sh ]] || fail "no runner in $home: install-runner.bash comes first"
cd "$home" || fail "failed to enter $home"
: >"$log" || fail "failed to write $log"

# What Anklet hands in is for these scripts: the runner keeps its environment for the job's steps.
# shellcheck disable=SC2086 # one word for each variable's name
unset ${!ANKLET_@}

detached bash ./run.sh

while [[ $looks -gt 0 ]]; do
  if ! kill -0 "$runner" 2>/dev/null; then
    code=0
    wait "$runner" || code=$?
    if [[ $code -eq 0 ]] && has_listened; then break; fi
    tail -n 20 "$log" >&2
    fail "the runner ended at once (exit code $code); its output is in $log"
  fi
  sleep 0.1
  looks=$((looks - 1))
done
printf 'start-runner: the runner runs as process %d; its output goes to %s\n' "$runner" "$log"
