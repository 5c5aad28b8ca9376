"""Commands that train, use and carry over single models."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.cli.console import OUT, context, plain, show_table
from harness.cli.progress import working
from harness.commands import bounds
from harness.errors import UsageError
from harness.models import conversion as carrying
from harness.models import draft_names, foreign_names
from harness.models import training as modeling
from harness.models.options import Converting, Training, What, Where, of
from harness.models.options import source as find


def train(
    workload: str, *, training: Training = Training(), what: What = What(), where: Where = Where()
) -> int:
    """Train a model in native mode and keep it: checkpoints in the build's own format, losses, and
    what it is."""
    bounds.count("--steps", training.steps)
    _check(where)
    spec, model = what.model(workload, training.build, where)
    out = training.out
    with working() as at_work:
        site = where.site(spec, at_work, training.begun())
        made = modeling.train(site, model, out, training.steps, resume=training.resume)
    line = f"{out}: {made.workload} on {made.build}, {made.step} steps, losses in"
    OUT.print(plain(f"{line} {out / modeling.LOSSES}"))
    return 0


def generate(
    model: Path, *, rows: int = 256, out: Path = Path("generated.npz"), where: Where = Where()
) -> int:
    """Let a trained model generate; writes `samples` of an .npz.

    Parameters
    ----------
    model
        A folder that `harness train` or `harness convert` wrote.
    rows
        How many; a generative model makes whole batches.
    out
        File to write.
    """
    bounds.count("--rows", rows)
    _check(where)
    spec, made = of(model, where)
    shape = modeling.generate(where.site(spec, context(), made), model, rows, out)
    OUT.print(plain(f"{out}: samples {list(shape)}"))
    return 0


def convert(
    source: Path,
    *,
    converting: Converting = Converting(),
    what: What = What(),
    where: Where = Where(),
) -> int:
    """Carry a checkpoint's weights and optimizer state to another build, and prove that its next
    step is the same."""
    _check(where)
    if not converting.print_names:
        converting.target()
    if source.is_file() and converting.names is None and not converting.print_names:
        raise UsageError(
            f"{source}: this is a file. Give the folder that it is in: {source.parent}"
        )
    spec, model, folder = find(source, converting, what, where)
    site = where.site(spec, context(), model)
    if converting.print_names:
        held = carrying.variables(site, source, model)
        document = draft_names.draft(spec.model_spec(model.preset), held)
        sys.stdout.write(foreign_names.render(document))
        return 0
    to, out = converting.target()
    done = carrying.convert(site, folder, model, to, out, prove=not converting.no_proof)
    show_table(("what", "value"), carrying.rows(done))
    return 0


def _check(where: Where) -> None:
    """Raise UsageError where a number that all three commands take lies outside its bounds."""
    bounds.count("--threads", where.threads)
    bounds.seconds("--limit", where.limit, above=True)
