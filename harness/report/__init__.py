"""Reports: one model, and one renderer a file."""
