"""The process in which Pulumi runs the providers: the run that its operations share, and what we change in the SDK."""
