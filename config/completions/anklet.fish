# Completion of anklet's command line for fish.

set -l first 'not __fish_seen_subcommand_from check healthcheck queue'
set -l check '__fish_seen_subcommand_from check'
set -l queue '__fish_seen_subcommand_from queue'
set -l list '__fish_seen_subcommand_from queue; and __fish_seen_subcommand_from list'
set -l subject "$queue; and not __fish_seen_subcommand_from list show"

complete -c anklet -f
complete -c anklet -s c -l config -r -F -d 'Configuration'
complete -c anklet -s h -l help -d 'Print a short manual'
complete -c anklet -n $first -l once -d 'Run once: handlers take at most one job each'
complete -c anklet -n $first -s V -l version -d 'Print the version'
complete -c anklet -n $first -a check -d 'Report every fault of the configuration'
complete -c anklet -n $first -a healthcheck -d 'Ask the daemon whether it is ready'
complete -c anklet -n $first -a queue -d 'Show what waits, and why'
complete -c anklet -n $check -l offline -d 'Ask neither GitHub nor Redis'
complete -c anklet -n $subject -a list -d 'All jobs that are not over'
complete -c anklet -n $subject -a show -d 'One job, by its number'
complete -c anklet -n $queue -l queue -x -d 'This queue only'
complete -c anklet -n $queue -l json -d 'Print JSON'
complete -c anklet -n $list -l limit -x -d 'Jobs of each state'
