"""What is run because of a verdict: rounds of speed until they decide, the first bad step, the
wrong layers."""
