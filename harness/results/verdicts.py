"""The words that verdicts are: enumerations whose members are strings, so that they are stored,
printed and compared as what they say.
"""

from __future__ import annotations

from backends.contract import Word


class Fidelity(Word):
    """Whether two sides compute the same: of a tensor, of a stage, or of a whole run."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    #: Nothing can be said: a side left nothing to judge, or the noise is too large.
    INCONCLUSIVE = "INCONCLUSIVE"
    #: Of a stage that is shown and not judged.
    INFO = "INFO"
    #: Of a tensor that is mathematically zero.
    NULL = "NULL"
    #: Of a tensor beyond the horizon: rounding alone may have grown to any size there.
    BEYOND = "BEYOND"
    #: Of a run in which no stage was judged.
    NONE = "NONE"


class Shown(Word):
    """What cells show in place of a verdict that needs a word more."""

    #: A PASS that rests on a difference which the user takes for the same.
    ACCEPTED = "ACCEPTED"


class Bounds(Word):
    """What a row judges that is no rung of the ladder (`backends.contract.Stage`)."""

    #: The two bounds of a lower precision: one build against its own float64 run.
    PRECISION = "precision"


class Speed(Word):
    """How fast b is against a."""

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    UNCLEAR = "UNCLEAR"
    #: The sides ran under settings with which a ratio means nothing.
    REFUSED = "REFUSED"


class Repeat(Word):
    """What runs of one build on one seed are to each other."""

    IDENTICAL = "BIT-IDENTICAL"
    ROUNDING = "WITHIN ROUNDING"
    DIFFERENT = "DIFFERENT"
    INCONCLUSIVE = "INCONCLUSIVE"
    #: The build has no deterministic mode, or not what the workload needs.
    UNSUPPORTED = "UNSUPPORTED"
    #: A run did not end well.
    BROKEN = "BROKEN"
