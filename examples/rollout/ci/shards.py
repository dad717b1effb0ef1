"""Reads `chekt rollout --list --json` of one wave, and prints shards of this many stacks for GitHub's matrix."""

import json
import sys

(wave,) = json.load(sys.stdin)["waves"]
shards = -(-len(wave["stacks"]) // int(sys.argv[1]))
sys.stdout.write(f"shards={json.dumps([f'{number}/{shards}' for number in range(1, shards + 1)])}\n")
