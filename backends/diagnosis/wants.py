"""What the contract wants of each method, in a line: for messages to whoever writes a port."""

from __future__ import annotations

WANTS = {
    "train": (
        "train(source, steps) runs whole steps, moves source.cursor on by as many, and returns"
        ' {"total": [one number a step]}'
    ),
    "generate": "generate(source, count) returns one array [count, ...]",
    "parameters": (
        "parameters() returns every declared parameter by its name, as a NumPy array in the"
        " declared shape"
    ),
    "load_parameters": (
        "load_parameters(values) sets every declared parameter and resets the optimizers"
    ),
    "forward": "forward(batch, training) returns the activations by name, as NumPy arrays",
    "losses": (
        "losses(phase, batch) returns the loss terms as numbers by name, the one that is"
        " differentiated named `total`"
    ),
    "gradients": (
        "gradients(phase, batch) returns an array in the parameter's shape for each trainable"
        " parameter that the phase updates"
    ),
    "train_step": (
        "train_step(phase, batch) runs one update and returns the loss terms before it as numbers"
        " by name"
    ),
}
