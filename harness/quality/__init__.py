"""How good generated rows are against real ones that no model has seen: the same code for every
backend. Pure."""
