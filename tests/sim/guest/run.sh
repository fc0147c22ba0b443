#!/bin/bash
# The simulated runner: stays in the foreground until its job is over, and ends with 0 whatever happened.
cd "$(dirname "$0")" || exit 1
"@PROGRAM@" runner run --runner-version "@VERSION@" "$@"
echo "Exiting runner..."
exit 0
