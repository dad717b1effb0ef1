#!/bin/sh
# What `make up` runs, in the environment of `make env`: the quickstart against an emulator that keeps its stations in a file.
set -eu
pulumi stack select --create --stack dev
chekt emulator --state .local/emulator.sqlite -- sh -eu -c '
    pulumi up --yes --stack dev
    echo
    chekt stations
'
