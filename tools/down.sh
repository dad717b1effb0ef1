#!/bin/sh
# What `make down` runs, in the environment of `make env`: takes away what up.sh made, and looks into the API whether it is gone.
set -eu
pulumi stack select --create --stack dev
chekt emulator --state .local/emulator.sqlite -- sh -eu -c '
    pulumi destroy --yes --stack dev
    echo
    chekt stations
    if [ "$(chekt stations --json)" != "[]" ]; then
        echo "The stack is destroyed, yet the API still holds the stations above: something else created them." >&2
        exit 1
    fi
'
