"""What stands in for what in a mutant: each operator, comparison, reduction and function with those
that take its place; and which arguments are axes, since these are moved by one."""

from __future__ import annotations

import ast

ARITHMETIC = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.MatMult: ("@", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Pow: ("**", "*"),
}
COMPARISONS = {
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
REDUCTIONS = {
    "sum": ("mean",),
    "mean": ("sum",),
    "max": ("min",),
    "min": ("max",),
    "square": ("abs",),
    "abs": ("square",),
    "max_pool2d": ("avg_pool2d",),
    "mse_loss": ("l1_loss",),
}
FUNCTIONS = {
    "relu": ("sigmoid", "tanh"),
    "sigmoid": ("tanh", "relu"),
    "tanh": ("sigmoid", "relu"),
    "softmax": ("log_softmax",),
    "sigmoid_backward": ("tanh_backward",),
    "tanh_backward": ("sigmoid_backward",),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "zeros_like": ("ones_like",),
    "ones_like": ("zeros_like",),
    "exp": ("log",),
    "log": ("exp",),
    "sqrt": ("square",),
    "round": ("floor", "ceil"),
    "addcmul": ("addcdiv",),
    "reversed": ("list",),
}
#: Functions and methods with axes among their positional arguments: where the first one stands
#: beside a tensor or without, and how many there are.
AXES = {
    "transpose": (0, 2),
    "flatten": (0, 2),
    "unflatten": (0, 1),
    "sum": (0, 1),
    "mean": (0, 1),
    "unbind": (0, 1),
    "softmax": (0, 1),
    "chunk": (1, 1),
    "split": (1, 1),
    "cat": (0, 1),
    "stack": (0, 1),
}
MODULES = ("torch", "functional", "np")
