"""Stands in for pip, of which Pulumi asks at each run for half a second which packages bring plugins: none does."""
