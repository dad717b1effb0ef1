"""Roll-outs: many stacks in waves, through Pulumi's Automation API.

rollout_file → what rollout.yaml says       plan → the waves and their stacks
stack → preview, up, verify of one stack    gates → what a preview may not show
runner → the waves, in order                report → what happened, as JSON and Markdown
operator, deployments → the plan in the shapes of engines of Pulumi's that run stacks by themselves
"""
