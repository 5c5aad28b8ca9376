"""`meta_ids`: keys beyond 2^53 and below zero, hashed into rows of tables: integers that no unit
in the last place touches."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Keys(Small):
    """Remainders and quotients of 64-bit keys."""

    name = "meta_ids"

    def parameters(self, hyper):
        """Return two tables and what weighs them."""
        tables = (
            Parameter("buckets", (7, 3), "glorot_uniform"),
            Parameter("groups", (5, 3), "glorot_uniform"),
        )
        return (*tables, Parameter("out", (7, 1), "glorot_uniform"))

    def data(self, hyper):
        """Return keys around plus and minus 2^53, and targets."""
        drawn = generator()
        keys = drawn.choice([-1, 1], 64) * (2**53 + drawn.randint(0, 1000, 64))
        return rows(key=keys.astype("int64"), y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Keys()
