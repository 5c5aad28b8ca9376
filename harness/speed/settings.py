"""Which effective settings have to be equal for two times to be a comparison, and which only have
to be named beside it.

One table, `RULES`, with a reason for each. REFUSED: the ratio would be of the setting and not of
the port, so there is no verdict on speed until it is equal, or the user insists
(`--allow-settings`). LABELLED: it differs by nature (graph against eager, another library's
kernels) or is a choice whose price the ratio shows; it stands beside the verdict. What the table
does not know is labelled. Nothing that differs is silent.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

REFUSED, LABELLED = "refused", "labelled"
UNKNOWN, UNSET = "unknown", "unset"
DTYPE = re.compile(r"b?float\d+")
#: From the least precise on; `tf32` is what a tensor core makes of float32.
WIDTHS = ("float8", "bfloat16", "float16", "tf32", "float32", "float64")


@dataclasses.dataclass(frozen=True)
class Rule:
    """What a difference in one setting means.

    Attributes:
        name: as the worker tells it; of a variable of the host environment, the variable's.
        kind: REFUSED or LABELLED. why: the reason, for a reader of the report.
        mend: what to do, where it is refused.
        universal: every backend tells it, so that its absence is "unknown" and not another
            framework's business.
        precise: it follows from the precision: where two precisions are asked for it has to differ.
    """

    name: str
    kind: str
    why: str
    mend: str = ""
    universal: bool = True
    precise: bool = False


@dataclasses.dataclass(frozen=True)
class SettingDifference:
    """One setting in which two sides differ; `a` and `b`: both values in words."""

    name: str
    a: str
    b: str
    rule: Rule

    def __str__(self) -> str:
        """E.g. "xla: a on, b off"."""
        return f"{self.name}: a {self.a}, b {self.b}"


_THREADS = (
    "remove what sets the number of threads in one port or its environment; --threads gives both"
    " the same"
)
_DTYPE = "let both ports compute in what --precision asks for"
_PERMISSION = "remove the switch from the port: the harness turns it on for --precision tf32 alone"
_VARIABLE = "unset it, or set it for both: all builds inherit the environment of the harness"
_FOREIGN = "a switch of one framework's own"

_RULES = (
    # What the machine gives each side.
    Rule(
        "device",
        REFUSED,
        "another device is another machine",
        "run both sides on one device (--device)",
    ),
    Rule(
        "cores",
        REFUSED,
        "one side may use more of the processor",
        "remove the affinity that a port or a wrapper sets",
    ),
    Rule(
        "affinity",
        LABELLED,
        "other cores of the same number may share caches and heat with other programs",
    ),
    Rule("nice", LABELLED, "on a busy machine the nicer process waits"),
    Rule("threads", REFUSED, "more threads compute more at a time", _THREADS),
    Rule("inter_threads", REFUSED, "more threads compute more at a time", _THREADS),
    Rule(
        "session_threads", REFUSED, "more threads compute more at a time", _THREADS, universal=False
    ),
    # In which numbers each side computes.
    Rule(
        "tf32",
        REFUSED,
        "10 mantissa bits are several times as fast as 23, and another result",
        _PERMISSION,
        precise=True,
    ),
    Rule(
        "matmul_precision",
        REFUSED,
        "it permits products of float32 in fewer bits",
        _PERMISSION,
        precise=True,
    ),
    Rule(
        "convolution_precision",
        REFUSED,
        "it permits convolutions of float32 in fewer bits",
        _PERMISSION,
        precise=True,
    ),
    Rule(
        "onednn_precision",
        REFUSED,
        "it permits products of float32 in fewer bits",
        _PERMISSION,
        universal=False,
        precise=True,
    ),
    Rule(
        "contractions",
        REFUSED,
        "products in fewer bits are faster, and another result",
        _DTYPE,
        precise=True,
    ),
    Rule(
        "parameter_dtypes",
        REFUSED,
        "narrower parameters move less memory, and are another result",
        _DTYPE,
        precise=True,
    ),
    Rule("output_dtype", LABELLED, "what is handed over may be wider than what was computed"),
    Rule("observed_dtypes", LABELLED, "some tensors are wider than on the other side"),
    Rule("dtype_policy", LABELLED, "frameworks assign dtypes to layers in ways of their own"),
    Rule("default_dtype", LABELLED, "the dtype of what names none", universal=False),
    Rule("global_policy", LABELLED, "the dtypes of layers that name none", universal=False),
    Rule(
        "reduced_precision_sums",
        LABELLED,
        _FOREIGN + ": sums of fp16 products on a GPU",
        universal=False,
    ),
    Rule(
        "denormals",
        REFUSED,
        "numbers below 1e-38 cost a hundred times as much where they are kept",
        "remove what sets flush-to-zero in one port (torch.set_flush_denormal, -ffast-math in an"
        " extension)",
    ),
    Rule(
        "framework_denormals",
        LABELLED,
        "TensorFlow flushes denormals in its own threads, PyTorch and NumPy keep them",
    ),
    # How each side executes; idiomatic ports differ here.
    Rule(
        "execution",
        LABELLED,
        "graph against eager is natural between frameworks; --execution changes it",
    ),
    Rule("xla", LABELLED, "one side's operations are fused by a compiler"),
    Rule("autoclustering", LABELLED, "one side's graphs are partly compiled", universal=False),
    Rule(
        "functions_run_eagerly",
        LABELLED,
        "functions that are traced anew run without a graph",
        universal=False,
    ),
    Rule(
        "deterministic",
        LABELLED,
        "deterministic kernels can be slower; `harness repeat` measures by how much",
    ),
    Rule("cudnn_deterministic", LABELLED, "deterministic kernels can be slower", universal=False),
    Rule(
        "cudnn_benchmark",
        LABELLED,
        "one side tries cuDNN's algorithms before it chooses",
        universal=False,
    ),
    Rule("cudnn", LABELLED, _FOREIGN, universal=False),
    Rule("onednn", LABELLED, "the kernels are another library's"),
    Rule("grappler", LABELLED, _FOREIGN, universal=False),
    Rule("rewriting", LABELLED, _FOREIGN, universal=False),
    Rule("versions", LABELLED, "another release has other kernels", universal=False),
    Rule(
        "threads_that_ran",
        LABELLED,
        "a side works on more threads than its settings explain",
        universal=False,
    ),
    Rule(
        "debugging",
        REFUSED,
        "checks of every operation are no part of the model",
        "turn the framework's debugging mode off",
    ),
    Rule(
        "python_tracing",
        REFUSED,
        "a debugger or profiler slows Python's own part",
        "run without it",
    ),
    # Variables that change numbers behind the frameworks' own switches.
    *(
        Rule(
            name,
            REFUSED,
            "it changes in how many bits products are computed, whatever the framework says",
            _VARIABLE,
        )
        for name in (
            "NVIDIA_TF32_OVERRIDE",
            "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
            "TF_SET_ONEDNN_FPMATH_MODE",
            "ONEDNN_DEFAULT_FPMATH_MODE",
        )
    ),
    Rule("environment", LABELLED, "libraries obey it beside the framework's own settings"),
)
#: By name. What the two sides do not agree on is judged by its rule here.
RULES: Mapping[str, Rule] = {rule.name: rule for rule in _RULES}
OTHER = Rule("", LABELLED, "a setting that the harness does not know", universal=False)


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[SettingDifference, ...]:
    """Return every effective setting in which two sides differ, in the order of the table, unknown
    ones last.

    A setting that every backend tells is "unknown" where one side does not tell it, and then only
    labelled; what only one framework can tell is compared where both do. Types of numbers are
    compared by the names of dtypes, not by the words of a policy.

    Args:
        a, b: what each side's worker read back, by the name of the setting.
    """
    names = [
        *(name for name in RULES if name in a or name in b),
        *sorted((set(a) | set(b)) - set(RULES)),
    ]
    differing: list[SettingDifference] = []
    for name in names:
        rule = RULES.get(name, OTHER)
        if name == "threads_that_ran":
            differing += _extra_threads(a, b, rule)
        elif (name in a and name in b) or rule.universal:
            differing += _compare(name, a.get(name), b.get(name), rule)
    return tuple(differing)


def refusal(differing: Iterable[SettingDifference], *, precisions: bool = False) -> str:
    """Return why two sides are not compared, with both values of each setting and what to do; empty
    where they can be.

    Args:
        differing: what `differences` returned. precisions: two precisions were asked for, and what
            follows from them is meant.
    """
    reasons = "; ".join(
        f"{item} ({item.rule.why}: {item.rule.mend})"
        for item in differing
        if item.rule.kind == REFUSED and not (precisions and item.rule.precise)
    )
    if not reasons:
        return ""
    return f"not compared, settings differ: {reasons}. --allow-settings compares all the same"


def _compare(name: str, a: Any, b: Any, rule: Rule) -> list[SettingDifference]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        # Variables are set or not; of other groups each side has entries of its own.
        keys = set(a) | set(b) if name == "environment" else set(a) & set(b)
        differing: list[SettingDifference] = []
        for key in sorted(keys, key=str):
            values = a.get(key, UNSET), b.get(key, UNSET)
            differing += _pair(f"{name} {key}", *values, RULES.get(key, rule))
        return differing
    return _pair(name, a, b, rule)


def _pair(name: str, a: Any, b: Any, rule: Rule) -> list[SettingDifference]:
    words = [_device(value) if name == "device" else _word(value) for value in (a, b)]
    if words[0] == words[1]:
        return []
    # Of dtypes the narrowest decides; beside it a framework may do some products in a wider one.
    of_dtypes = name in ("contractions", "parameter_dtypes")
    harmless = of_dtypes and _narrowest(words[0]) == _narrowest(words[1]) != ""
    if rule.kind == REFUSED and (harmless or UNKNOWN in words):
        rule = dataclasses.replace(rule, kind=LABELLED)
    return [SettingDifference(name, words[0], words[1], rule)]


def _extra_threads(
    a: Mapping[str, Any], b: Mapping[str, Any], rule: Rule
) -> list[SettingDifference]:
    """Return a difference if one side alone worked on more threads than its pools and its main
    thread are."""
    extra = [_extra(side) for side in (a, b)]
    if (extra[0] > 0) == (extra[1] > 0):
        return []
    words = [
        f"{side.get('threads_that_ran', UNKNOWN)} of"
        f" {side.get('threads')}+{side.get('inter_threads')}"
        for side in (a, b)
    ]
    return [SettingDifference("threads_that_ran", words[0], words[1], rule)]


def _extra(side: Mapping[str, Any]) -> int:
    counts = [side.get(name) for name in ("threads_that_ran", "threads", "inter_threads")]
    if not all(isinstance(count, int) and not isinstance(count, bool) for count in counts):
        return 0
    ran, *pools = (int(str(count)) for count in counts)
    return ran - sum(pools) - 1


def _narrowest(words: str) -> str:
    return next((name for name in WIDTHS if name in words.split("+")), "")


def _device(value: Any) -> str:
    """Return the class of a device: frameworks name the same GPU in their own ways."""
    if value is None:
        return UNKNOWN
    name = str(value).lower()
    return next((kind for kind in ("cpu", "tpu") if kind in name), "gpu")


def _word(value: Any) -> str:
    """Spell a value the way it is printed and compared."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "on" if value else "off"
    dtypes = sorted(set(DTYPE.findall(str(value))))
    return "+".join(dtypes) if dtypes else str(value)
