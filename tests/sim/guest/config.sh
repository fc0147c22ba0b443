#!/bin/bash
# The simulated runner's set-up: takes the flags of the real one.
cd "$(dirname "$0")" || exit 1
exec "@PROGRAM@" runner configure --runner-version "@VERSION@" "$@"
