#!/usr/bin/env bash
# Makes the daemon ask GitHub everything that it knows to ask. Sourced by scripts/prism, and run by nobody.
# A scene is one daemon with one way to sign in and one scope; it waits for what it is about, and ends the daemon.
# Written for bash 3.2.
# shellcheck disable=SC2154 # scripts/prism sets the stage

# Of the simulated GitHub: the token that it knows by itself, its first hook, and the App that the scenes tell it of.
token=sim-token
hook=480000001
app=4711
# The daemon's minutes, so many times as short: the 5 minutes after which a job is asked about are 3 seconds.
PACE=100
SOON=25

control() { curl -sSf -m 10 "$github/_sim/$1" ${2:+-d "$2"}; }

of() { "$sim" pick "$1" 2>/dev/null || true; }

# until_so WHAT COMMAND…: waits until the command succeeds.
until_so() {
  local what=$1 end=$((SECONDS + SOON))
  shift
  until "$@"; do
    if [[ $SECONDS -gt $end ]]; then fail "$scene: waited $SOON s in vain: $what"; fi
    kill -0 "$daemon" 2>/dev/null || fail "$scene: the daemon has ended"
    sleep 0.1
  done
}

# asked METHOD PATTERN: the simulated GitHub got such a call since the scene began.
asked() { tail -n "+$begun" "$folder/github/calls.log" 2>/dev/null | grep -Eq " $1 [^ ]*$2 2[0-9][0-9] "; }

waits_for_call() { until_so "$1 $2" asked "$1" "$2"; }

# order [FIELDS]: one job, of acme/app and with a good template unless the fields say otherwise; its number in $job, its
# run's in $run.
order() {
  local fields=${1:-} told usual
  for usual in '"owner":"acme"' '"repo":"app"' '"duration_ms":200' '"labels":["anka-template:macos-15","anka-template-tag:v1"]'; do
    case $fields in *"${usual%%:*}:"*) ;; *) fields+=${fields:+,}$usual ;; esac
  done
  told=$(control jobs "{$fields}")
  job=$(of ids.0 <<<"$told")
  run=$(of run_ids.0 <<<"$told")
}

has_status() { [[ $(control "jobs/$job" | of status) == "$1" ]]; }

has_runner() { [[ $(control state | of 'runners.*.online') == *true* ]]; }

has_no_runner() { [[ -z $(control state | of 'runners.*.id') ]]; }

lists_no_vm() { [[ $("$sim" world show "$folder/home/anka" | of 'vms.*.name') != *anklet-vm-* ]]; }

# done_with [CONCLUSION]: the job is over, its VM and its runner are gone.
done_with() {
  local ended
  until_so "job $job is completed" has_status completed
  ended=$(control "jobs/$job" | of ended_as)
  if [[ $ended != "${1:-success}" ]]; then fail "$scene: job $job ended as $ended"; fi
  until_so 'its VM is gone' lists_no_vm
  until_so 'its runner is gone' has_no_runner
}

# A job whose runner waits is cancelled, so that the daemon has to remove the runner.
cancelled_in_front_of_its_runner() {
  order "\"hold\":true${1:+,$1}"
  until_so 'a runner is online' has_runner
  control "runs/$run/cancel" '{}' >/dev/null
  done_with cancelled
  waits_for_call DELETE "/actions/runners/[0-9]+"
}

# begin SCENE HOOK SCOPE RECEIVER HANDLER TOP: starts a daemon; each but the first is lines of its configuration.
begin() {
  local owner=$3
  scene=$1
  begun=$(($(wc -l <"$folder/github/calls.log") + 1))
  printf '  %s\n' "$scene"
  control hook "$2" >/dev/null
  cat >"$folder/config.yml" <<END
github_url: $github
github_api_url: $judge
global_receiver_secret: secret
global_registration_timeout_seconds: 2
log:
  file_dir: $folder
metrics:
  port: $metrics_port
$6
plugins:
- name: RECEIVER
  plugin: github_receiver
  bind: 127.0.0.1
  port: $receiver_port
  redeliver_interval_seconds: 1
$owner
$4
- name: RUNNER
  plugin: github
$owner
$5
END
  # shellcheck disable=SC2094 # nobody reads it meanwhile
  env -i HOME="$folder/home" PATH="$folder/home/anka/bin:$PATH" ANKA_SIM_DIR="$folder/home/anka" ANKLET_PACE=$PACE \
    "$anklet" -c "$folder/config.yml" >>"$folder/anklet.out" 2>&1 </dev/null &
  daemon=$!
  until_so 'the receiver serves' curl -s -m 2 -o /dev/null "http://127.0.0.1:$receiver_port/healthcheck"
}

ends() {
  kill -INT "$daemon"
  wait "$daemon" || fail "$scene: the daemon ended with $?"
  daemon=
}

hooked() { printf '{"url":"http://127.0.0.1:%s/jobs/v1/receiver","secret":"secret"%s}' "$receiver_port" "${1:-}"; }

# lost FIELDS: a delivery of a minute ago that did not arrive.
lost() { control deliveries "{\"status_code\":502${1:+,$1}}" >/dev/null; }

# --- the scenes ----------------------------------------------------------------------------------------------------

repository_by_token() {
  begin 'a repository, by token' "$(hooked)" $'  owner: acme\n  repo: app' "  hook_id: $hook" '' "global_token: $token"
  lost
  waits_for_call POST '/attempts'
  order
  done_with
  cancelled_in_front_of_its_runner
  order '"labels":["anka-template:bare","anka-template-tag:v1"]'
  done_with
  waits_for_call GET '/runners/downloads'
  watched
  unservable
  ends
}

# GitHub is asked about a job that goes on; one that it no longer knows makes the daemon look at the repository.
watched() {
  order '"duration_ms":60000'
  until_so 'the job runs' has_status in_progress
  waits_for_call GET "/actions/jobs/$job"
  until_so 'GitHub says that nothing is new' grep -q " GET .*/actions/jobs/$job 304 " "$folder/github/calls.log"
  control "jobs/$job/forget" '{}' >/dev/null
  waits_for_call GET '/repos/acme/app'
  control "jobs/$job/cancelled" '{}' >/dev/null
  done_with cancelled
}

# No template: the run is cancelled, and by force when GitHub does not follow.
unservable() {
  order '"labels":["anka-template:"],"ignores_cancel":true'
  waits_for_call POST "/runs/$run/cancel"
  waits_for_call POST "/runs/$run/force-cancel"
  until_so "job $job is completed" has_status completed
}

# A token that no longer counts: once it does again, the daemon learns it by asking for the quota.
refused() {
  control settings '{"tokens":["another"]}' >/dev/null
  order '"labels":["anka-template:"]'
  until_so 'the job goes back to the queue' grep -q 'goes back to the queue: failed to sign in' "$folder/anklet.log"
  control settings "{\"tokens\":[\"$token\"]}" >/dev/null
  order
  waits_for_call GET '/rate_limit'
  done_with
}

organization_by_token() {
  control settings '{"groups":["Macs"]}' >/dev/null
  begin 'an organization with a runner group, by token' "$(hooked)" '  owner: acme' "  hook_id: $hook" \
    '  runner_group: macs' "global_token: $token"
  lost
  waits_for_call POST '/attempts'
  order '"repo":"other"'
  done_with
  cancelled_in_front_of_its_runner
  order '"labels":["anka-template:bare","anka-template-tag:v1"]'
  done_with
  ends
}

just_in_time() {
  local top
  top=$'global_runner_registration: jit\nglobal_token: '$token
  begin 'a repository, just-in-time runners' "$(hooked)" $'  owner: acme\n  repo: app' '  skip_redeliver: true' '' "$top"
  order
  done_with
  cancelled_in_front_of_its_runner
  refused
  ends
  begin 'an organization, just-in-time runners' "$(hooked)" '  owner: acme' '  skip_redeliver: true' \
    '  runner_group: macs' "$top"
  order
  done_with
  cancelled_in_front_of_its_runner
  ends
}

enterprise() {
  local way
  for way in token jit; do
    begin "an enterprise, registration by $way" "$(hooked)" '  enterprise: globex' '  skip_redeliver: true' \
      '  runner_group: macs' "global_token: $token"$'\nglobal_runner_registration: '$way
    order '"enterprise":"globex"'
    done_with
    cancelled_in_front_of_its_runner '"enterprise":"globex"'
    ends
  done
}

as_an_app() {
  local key id
  key="global_private_key: $PWD/tests/keys/app.pem"
  id="  app_id: $app"
  installed_at acme false
  begin 'a repository, as a GitHub App' "$(hooked ",\"app\":$app")" $'  owner: acme\n  repo: app' \
    "$id"$'\n  hook_id: app' "$id" "$key"
  lost '"installation_id":99'
  waits_for_call POST '/app/hook/deliveries/[0-9]+/attempts'
  order
  done_with
  cancelled_in_front_of_its_runner
  ends
  begin 'an organization, as a GitHub App' "$(hooked)" '  owner: acme' '  skip_redeliver: true' "$id" "$key"
  order
  done_with
  ends
  # A user has no runners: it is the installation that is looked up.
  installed_at mona true
  begin 'a user, as a GitHub App' "$(hooked)" '  owner: mona' '  skip_redeliver: true' "$id" "$key"
  order '"owner":"mona"'
  waits_for_call GET '/users/mona/installation'
  waits_for_call POST '/access_tokens'
  ends
}

# installed_at ACCOUNT IS_USER
installed_at() {
  control settings "{\"apps\":[{\"id\":$app,\"key\":\"$PWD/tests/keys/app.pem\",
    \"installations\":[{\"id\":99,\"account\":\"$1\",\"is_user\":$2}]}]}" >/dev/null
}

# What the daemon does not ask today, the simulated GitHub answers all the same.
by_hand() {
  local path
  scene='by hand'
  printf '  %s\n' "$scene"
  order '"hold":true'
  for path in "/repos/acme/app/actions/runs/$run" "/repos/acme/app/actions/runs/$run/jobs" "/repos/acme/app/actions/jobs/$job" \
    /repos/actions/runner/releases/latest /repos/actions/runner/releases/tags/v2.330.0 /user; do
    curl -sS -m 10 -o /dev/null -H "Authorization: Bearer $token" "$judge$path"
  done
  for path in /repos/acme/app /orgs/acme; do
    curl -sS -m 10 -o /dev/null -H "Authorization: Bearer $token" -X POST "$judge$path/actions/runners/remove-token"
  done
}

tour() {
  repository_by_token
  organization_by_token
  just_in_time
  enterprise
  as_an_app
  by_hand
}
