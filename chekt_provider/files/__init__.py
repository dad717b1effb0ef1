"""Files that people write: YAML with line numbers, stations files and their schema."""
