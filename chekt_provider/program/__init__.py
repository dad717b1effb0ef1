"""What a Pulumi program uses, in the program's process: resources, the explicit Provider, lookups, Fleet."""
