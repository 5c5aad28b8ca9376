"""Values that share their storage: what is computed in place overwrites what is needed later, or
what has been shown already."""

from __future__ import annotations

from tests.evaluation.metamorphic.entries.state import COPIED
from tests.evaluation.metamorphic.entry import Entry


def _storage(name: str, *changes: tuple[str, str], what: str, stage: str = "forward") -> Entry:
    return Entry("storage", name, "meta_storage", changes, what, stage)


DOUBLED = 'torch.cat([2.0 * seen["rectified"][:, :2], seen["rectified"][:, 2:]], 1)'
VIEW = 'seen["rectified"].clone()\n        seen["doubled"][:, :2].mul_(2.0)'

MUTANTS = (
    _storage(
        "inputs_halved_in_place",
        ("0.5 * x", "x.mul_(0.5)"),
        what="the inputs themselves are halved, and used again",
    ),
    _storage(
        "rectified_before_its_sum",
        ('        below = seen["hidden"].sum(1, keepdim=True)\n', ""),
        (
            'torch.relu(seen["hidden"])',
            'torch.relu_(seen["hidden"])\n        below = seen["hidden"].sum(1, keepdim=True)',
        ),
        what="rectified in place, then the values before it are summed",
    ),
    _storage(
        "columns_doubled_twice",
        (
            DOUBLED,
            (
                'torch.cat([2.0 * seen["rectified"][:, :2], seen["rectified"][:, 2:]], 1)\n'
                '        view = seen["doubled"][:, :2]\n        view += view'
            ),
        ),
        what="a view of the columns is doubled once more, after it was shown",
    ),
    _storage(
        "wrong_columns_doubled",
        (DOUBLED, 'seen["rectified"] * 1.0\n        seen["doubled"][:, 1:3].mul_(2.0)'),
        what="a view of other columns is doubled",
    ),
    Entry(
        "storage",
        "velocity_scaled_in_place",
        "meta_clock",
        (
            (
                'held["w"] -= self.dtype.type(2.0**-5) * held["velocity"]',
                (
                    'held["velocity"] *= self.dtype.type(2.0**-5)\n        held["w"] -='
                    ' held["velocity"]'
                ),
            ),
        ),
        "the velocity is multiplied by the rate in place",
        "update",
        build="numpy",
    ),
)
TWINS = (
    COPIED,
    _storage(
        "rectified_in_place",
        ('torch.relu(seen["hidden"])', 'torch.relu_(seen["hidden"])'),
        what="rectified in place, the sum taken before",
        stage="",
    ),
    _storage(
        "rectified_in_a_copy",
        ('torch.relu(seen["hidden"])', 'seen["hidden"].clone().relu_()'),
        what="a copy is rectified in place",
        stage="",
    ),
    _storage(
        "halved_in_a_copy",
        ("0.5 * x", "x.clone().mul_(0.5)"),
        what="a copy of the inputs is halved in place",
        stage="",
    ),
    _storage(
        "columns_doubled_in_place",
        (
            f'seen["doubled"] = {DOUBLED}',
            (
                'own = seen["rectified"].clone()\n        own[:, :2].mul_(2.0)\n       '
                ' seen["doubled"] = own'
            ),
        ),
        what="columns of a copy are doubled in place",
        stage="",
    ),
)
