# Completion of anklet's command line for bash 3.2 and later.
# scripts/install puts it where bash-completion looks; without that, source it in ~/.bashrc.
# shellcheck shell=bash

_anklet() {
  local word=$2 before=$3 command='' sub='' at words=''
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    case ${COMP_WORDS[at]} in
      check | healthcheck | queue) command=${command:-${COMP_WORDS[at]}} ;;
      list | show) sub=${sub:-${COMP_WORDS[at]}} ;;
    esac
  done
  case $before in
    -c | --config)
      while IFS= read -r at; do COMPREPLY+=("$at"); done < <(compgen -f -- "$word")
      return
      ;;
    --queue | --limit) return ;;
  esac
  case $command.$sub in
    .) words='check healthcheck queue --once --version -V' ;;
    check.) words='--offline' ;;
    queue.) words='list show' ;;
    queue.list) words='--queue --limit --json' ;;
    queue.show) words='--queue --json' ;;
  esac
  while IFS= read -r at; do COMPREPLY+=("$at"); done < <(compgen -W "$words -c --config -h --help" -- "$word")
}

# A folder among the files gets its slash, a file its space.
complete -o filenames -F _anklet anklet
