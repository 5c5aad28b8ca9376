"""Models that are kept: train one, generate from it, carry it over to another build."""
