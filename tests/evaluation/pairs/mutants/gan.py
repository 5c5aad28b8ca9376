"""Mistakes of adversarial training: what is detached, whose gradients, in which order."""

from __future__ import annotations

from tests.evaluation.pairs.mutant import Mutant

P, S = "gan_phases", "gan_step"
MUTANTS = (
    Mutant(
        P,
        "maker_detached",
        "the maker's own output detached",
        (
            (
                'bce(self.critic(self.maker(batch["z"])), 1.0)',
                'bce(self.critic(self.maker(batch["z"]).detach()), 1.0)',
            ),
        ),
        "gradients",
        ("maker",),
    ),
    Mutant(
        P,
        "critic_not_zeroed",
        "the critic keeps the maker's gradients",
        (('        self.optimizers["critic"].zero_grad()\n', ""),),
        "update",
        ("step 2/critic",),
    ),
    Mutant(
        P,
        "one_sided_labels",
        "no smoothing of real labels",
        ((", 0.875)", ", 1.0)"),),
        "loss",
        ("critic/real",),
    ),
    Mutant(
        P,
        "critic_in_evaluation",
        "no dropout in the critic while the maker trains",
        (
            (
                '        loss = bce(self.critic(self.maker(batch["z"])), 1.0)',
                "        self.critic.eval()\n"
                '        loss = bce(self.critic(self.maker(batch["z"])), 1.0)',
            ),
        ),
        "loss",
        ("maker",),
    ),
    Mutant(
        P,
        "slope",
        "another slope of a leaky ReLU",
        (("leaky_relu(self.look(x), 0.25)", "leaky_relu(self.look(x), 0.2)"),),
        "forward",
        ("leaky",),
    ),
    Mutant(
        P,
        "activation",
        "tanh in the place of ReLU",
        (("torch.relu(self.second", "torch.tanh(self.second"),),
        "forward",
        ("second",),
    ),
    Mutant(
        P,
        "rate_of_maker",
        "the critic's learning rate for the maker",
        (("0.0625, momentum", "0.125, momentum"),),
        "update",
        ("maker",),
    ),
    Mutant(
        S,
        "maker_first",
        "the critic's update after the maker's",
        (
            ('        self.optimizers["critic"].step()\n', ""),
            (
                '        self.optimizers["maker"].step()\n',
                '        self.optimizers["maker"].step()\n'
                '        self.optimizers["critic"].step()\n',
            ),
        ),
        "loss",
        ("maker",),
    ),
    Mutant(
        S,
        "critic_loss_halved",
        "half of the critic's loss",
        (
            (
                "loss = real + bce(self.critic(made), 0.0)",
                "loss = 0.5 * (real + bce(self.critic(made), 0.0))",
            ),
        ),
        "loss",
        ("critic",),
    ),
    Mutant(
        S,
        "uniform_noise",
        "noise drawn from another distribution",
        (
            (
                'self.maker(torch.randn(len(batch["x"]), 4)).detach()',
                'self.maker(torch.rand(len(batch["x"]), 4)).detach()',
            ),
        ),
        "loss",
        ("critic",),
    ),
)
