"""What is to be said of the models of a side before anything is run."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, List, Mapping

import torch


def of_models(models: Mapping[str, Any], modules: Mapping[str, Any]) -> List[str]:
    """Return what the user may not expect of models as they have been built, in sentences.

    Args:
        models: by name. modules: all of theirs, by path.
    """
    return [*_modes(models), *_whole_numbers(models), *_scripts(modules)]


def _modes(models: Mapping[str, Any]) -> List[str]:
    """Each model stays in the mode that the user's code has put it in: its steps may set another
    one, and if they do not, that is how they train."""
    return [
        f"the model {name or type(model).__name__} is in inference mode when it is built; a"
        " step that does not call .train() trains it like that"
        for name, model in models.items()
        if not model.training
    ]


def _whole_numbers(models: Mapping[str, Any]) -> List[str]:
    names = sorted(
        name
        for model in models.values()
        for name, value in model.named_buffers()
        if not (value.is_floating_point() or value.is_complex())
        and not name.endswith("num_batches_tracked")
    )
    listed = ", ".join(names)
    said = f"buffers of whole numbers are not compared, only what is made of them: {listed}"
    return [said] if names else []


def _scripts(modules: Mapping[str, Any]) -> List[str]:
    return [
        f"{path} is a ScriptModule: nobody can look into it"
        for path, module in modules.items()
        if isinstance(module, torch.jit.ScriptModule) and "." not in path
    ]


def unseen_updates(
    side: Any, unseen: Iterable[str], looked: Mapping[str, int], limits: str
) -> Iterator[str]:
    """Yield what is to be said of optimizers of which no update was seen.

    Args:
        side: that has them. unseen: their names. looked: by phase, how many of its steps were
            looked at. limits: of that, in words.
    """
    steps = " and ".join(f"{count} of {name}" for name, count in looked.items())
    for name in unseen:
        yield (
            f"no update by the optimizer {name or type(side.optimizers[name]).__name__} was seen"
            f" within the steps that were looked at ({steps}; {limits}): it gathers gradients over"
            " more steps, or none uses it"
        )
