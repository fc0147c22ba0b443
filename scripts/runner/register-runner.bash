#!/usr/bin/env bash
# Registers this VM's runner with GitHub, for one job. Anklet runs it in the guest user's home:
#
#   register-runner.bash NAME TOKEN URL LABELS [GROUP]
#
#   NAME    the VM's name, which becomes the runner's
#   TOKEN   a registration token, good for an hour
#   URL     https://github.com/OWNER[/REPOSITORY], or the like on another GitHub
#   LABELS  all labels of the job, comma-joined
#   GROUP   the runner group, of an organization or an enterprise only
#
#   ANKLET_RUNNER_HOME  the runner's folder (~/actions-runner)
#
# Exit code: 0 registered; 1 refused, the reason is on standard error; 2 wrong arguments.
# Written for the bash 3.2 and the tools of a bare macOS.
set -euo pipefail

fail() {
  printf 'register-runner: %s\n' "$*" >&2
  exit 1
}

# The values are never shown: one of them is a secret.
if [[ $# -lt 4 || $# -gt 5 ]]; then
  printf 'register-runner: usage: register-runner.bash NAME TOKEN URL LABELS [GROUP] (got %d arguments)\n' $# >&2
  exit 2
fi
name=$1 token=$2 url=$3 labels=$4 group=${5:-}
for part in name token url labels; do
  if [[ -z ${!part} ]]; then
    printf 'register-runner: the %s is empty\n' "$part" >&2
    exit 2
  fi
done

home=${ANKLET_RUNNER_HOME:-$HOME/actions-runner}
[[ -f $home/config.sh ]] || fail "no runner in $home: install-runner.bash comes first"
cd "$home" || fail "failed to enter $home"

# What Anklet hands in is for these scripts: the runner keeps its environment for the job's steps.
# shellcheck disable=SC2086 # one word for each variable's name
unset ${!ANKLET_@}

# A template that was saved after a registration would be refused as "already configured".
if [[ -e .runner || -e .credentials ]]; then
  printf 'register-runner: forgets an earlier registration that the template carries\n'
  rm -f .runner .credentials .credentials_rsaparams
fi

options=(--unattended --ephemeral --disableupdate --no-default-labels
  --name "$name" --token "$token" --url "$url" --labels "$labels")
if [[ -n $group ]]; then options+=(--runnergroup "$group"); fi

code=0
output=$(bash ./config.sh "${options[@]}" </dev/null 2>&1) || code=$?
output=${output//"$token"/***}
if [[ $code -ne 0 ]]; then
  if [[ -n $output ]]; then printf '%s\n' "$output" >&2; fi
  fail "config.sh refused to register $name at $url (exit code $code)"
fi
if [[ -n $output ]]; then printf '%s\n' "$output"; fi
printf 'register-runner: registered %s at %s\n' "$name" "$url"
