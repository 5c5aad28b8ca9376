"""Time a port's steps, and read what they cost and under which settings they ran."""
