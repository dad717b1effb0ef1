"""Reads `chekt rollout --list --json` of one wave, and prints what its approval file must hold."""

import json
import sys

(wave,) = json.load(sys.stdin)["waves"]
sys.stdout.write(f"{wave['approval']}\n")
