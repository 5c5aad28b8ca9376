"""Dtypes that the user's own code sets Keras to: the harness sets them by the precision that is
asked for, so what the code says is left aside while it makes its models, and told."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from backends.contract import PRECISION_TABLE, Setting

#: By module of Keras', the functions that set dtypes for all that follows.
SETTERS = (
    ("mixed_precision", ("set_global_policy", "set_dtype_policy")),
    ("config", ("set_dtype_policy", "set_floatx")),
    ("backend", ("set_floatx",)),
)
#: In float32 and float64 a layer of the user's is in none of these.
FIXED = ("float32", "float16", "bfloat16", "mixed_bfloat16", "mixed_float16")


class OwnPolicies:
    """Leaves them aside, and says so.

    Args:
        setting: how to run. packages: Keras', as far as models may be made with them.
    """

    def __init__(self, setting: Setting, packages: Sequence[Any]) -> None:
        self.setting, self.packages = setting, packages
        self._seen: Dict[str, None] = {}

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Leave them aside, for as long as this lasts."""
        replaced: List[Tuple[Any, str, Any]] = []
        try:
            for keras in self.packages:
                self._replace_setters(keras, replaced)
                self._replace_layers(keras, replaced)
            yield
        finally:
            for owner, name, held in reversed(replaced):
                setattr(owner, name, held)

    def _replace_setters(self, keras: Any, replaced: List[Tuple[Any, str, Any]]) -> None:
        def noted(*values: Any, **words: Any) -> None:
            for policy in (*values, *words.values()):
                self._seen[str(getattr(policy, "name", policy))] = None

        for module, names in SETTERS:
            owner = getattr(keras, module, None)
            for name in names:
                if hasattr(owner, name):
                    replaced.append((owner, name, getattr(owner, name)))
                    setattr(owner, name, noted)

    def _replace_layers(self, keras: Any, replaced: List[Tuple[Any, str, Any]]) -> None:
        """Have layers that name a dtype of their own follow the setting, where it is no lower
        precision; Keras 2 has no such place."""
        table = PRECISION_TABLE[self.setting.precision]
        try:
            policies: Any = importlib.import_module(f"{keras.__name__}.src.dtype_policies")
        except ImportError:
            return
        if table["contraction"] != table["master"] or not hasattr(policies, "get"):
            return
        get = policies.get

        def followed(identifier: Any) -> Any:
            name = getattr(identifier, "name", identifier)
            if isinstance(name, str) and name in FIXED and name != table["master"]:
                self._seen[name] = None
                return get(table["master"])
            return get(identifier)

        replaced.append((policies, "get", get))
        policies.get = followed

    def scales_losses(self) -> bool:
        """Return whether a model that is compiled under what is left aside scales its loss."""
        return "mixed_float16" in self._seen

    def remarks(self) -> List[str]:
        """Return what has been left aside, in sentences."""
        lower = {"mixed_bfloat16": "bf16", "mixed_float16": "fp16"}
        remarks = []
        for name in self._seen:
            words = (
                f"the code sets Keras to {name}, which is left aside in {self.setting.precision}"
            )
            more = f": compare it in --precision {lower[name]}" if name in lower else ""
            remarks.append(words + more)
        return remarks
