"""The judged results that every renderer and store reads: frozen rows, no renderer, no input or
output."""
