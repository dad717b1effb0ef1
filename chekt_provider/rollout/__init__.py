"""Roll-outs: many stacks in waves, through Pulumi's Automation API.

plan → the waves of a rollout.yaml and their stacks    gates → what a preview may not show
stack → preview, up, verify of one stack               runner → the waves, in order
report → what happened, as JSON and Markdown
operator, deployments → the plan in the shapes of engines of Pulumi's that run stacks by themselves
"""
