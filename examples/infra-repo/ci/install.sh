#!/bin/sh
# Installs what the program and its pipelines need: each package as requirements.txt locks it, and chekt-provider from
# this repository, since somebody else may have taken the name on an index of packages.
set -eu
pip install --require-hashes --requirement requirements.txt
pip install --no-deps --no-index wheels/chekt_provider-0.1.0-py3-none-any.whl
