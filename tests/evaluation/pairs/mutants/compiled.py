"""Mistakes of compiled nets: what they are compiled from, and what compiles them."""

from __future__ import annotations

from tests.evaluation.pairs.mutant import Mutant

B = "compiled"
MUTANTS = (
    Mutant(
        B,
        "compiled_for_inference",
        "a net that is compiled, and trained, in inference mode",
        (("torch.compile(Net())", "torch.compile(Net().eval())"), ("self.net.train()", "pass")),
        "loss",
    ),
    Mutant(
        B,
        "one_mask",
        "a dropout whose mask is made once, before it is compiled",
        (
            (
                "self.drop, self.out = nn.Dropout(0.25), nn.Linear(12, KINDS)",
                "self.out, self.mask = nn.Linear(12, KINDS), (torch.rand(12) < 0.75) / 0.75",
            ),
            ("self.drop(self.norm(x))", "self.norm(x) * self.mask"),
        ),
        "forward",
        ("drop", "out"),
    ),
    Mutant(
        B,
        "compiled_to_halves",
        "a compiler of the user's own that rounds to float16",
        (
            ("torch.compile(Net())", "torch.compile(Net(), backend=halved)"),
            (
                "class Trainer:",
                "def halved(graph, inputs):\n"
                "    return lambda *given: [part.half().to(part.dtype) for part in graph(*given)]\n"
                "\n\nclass Trainer:",
            ),
        ),
        "forward",
        ("generate",),
    ),
)
