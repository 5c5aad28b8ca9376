"""From records to judged rows: stages, distributions, costs, settings, jobs, and the one answer of
a run."""
