"""Two models that somebody already has: the pair file, which part of one is which part of the
other, and the workload that follows. Runs nothing."""
