"""The set-up of the Pulumi engine: install.py finds or fetches one, build.py makes one from its Go modules."""
