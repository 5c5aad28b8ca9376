"""What changed between two judged runs, and over a history of them; pure: no input or output, no
clock, no process.

Start at `nights.between`. `model` has what goes in and comes out; the other modules judge one kind
of change each.
"""
