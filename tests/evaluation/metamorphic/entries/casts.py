"""Casts to a lower precision inside a float64 run: they swallow what moves inputs and weights by
a unit in the last place."""

from __future__ import annotations

from tests.evaluation.metamorphic.entry import Entry


def _casts(name: str, old: str, new: str, what: str, stage: str) -> Entry:
    return Entry("casts", name, "meta_casts", ((old, new),), what, stage)


def _rounded(name: str, old: str, new: str, what: str, stage: str = "") -> Entry:
    return Entry("casts", name, "meta_rounded", ((old, new),), what, stage)


def _halves(name: str, old: str, new: str, what: str, stage: str = "") -> Entry:
    return Entry("casts", name, "meta_halves", ((old, new),), what, stage)


def _loop(name: str, old: str, new: str, what: str, stage: str = "trajectory") -> Entry:
    return Entry("casts", name, "meta_loop", ((old, new),), what, stage, build="numpy")


HIDDEN = 'torch.tanh(arrays["x"] @ self.model["kernel"])'
LOSS = 'functional.mse_loss(output, arrays["y"])'
UPDATED = '''
    def update(self, phase, arrays, noise):
        """Run one update; weights are kept in float32."""
        terms = TorchPort.update(self, phase, arrays, noise)
        with torch.no_grad():
            for weight in self.model.values():
                weight.copy_(weight.float())
        return terms

    def output('''

MUTANTS = (
    _casts(
        "inputs_in_float32",
        HIDDEN,
        'torch.tanh(arrays["x"].float().to(self.dtype) @ self.model["kernel"])',
        "inputs are rounded to float32",
        "forward",
    ),
    _casts(
        "weights_in_float32",
        HIDDEN,
        'torch.tanh(arrays["x"] @ self.model["kernel"].float().to(self.dtype))',
        "weights are rounded to float32 where they are used",
        "forward",
    ),
    _casts(
        "product_in_float32",
        HIDDEN,
        'torch.tanh((arrays["x"].float() @ self.model["kernel"].float()).to(self.dtype))',
        "the product is computed in float32",
        "forward",
    ),
    _casts(
        "hidden_in_half",
        HIDDEN,
        f"{HIDDEN}.half().to(self.dtype)",
        "activations are kept in half precision",
        "forward",
    ),
    _casts(
        "inputs_in_steps",
        HIDDEN,
        'torch.tanh(torch.round(arrays["x"] * 256.0) / 256.0 @ self.model["kernel"])',
        "inputs are quantised on one side",
        "forward",
    ),
    _casts(
        "loss_in_float32",
        LOSS,
        'functional.mse_loss(output.float(), arrays["y"].float()).to(self.dtype)',
        "the loss is computed in float32",
        "loss",
    ),
    _casts(
        "gradients_in_float32",
        'return {"total": functional.mse',
        'self.model["out"].requires_grad and output.requires_grad and output.register_hook(\n      '
        '      lambda slope: slope.float().to(self.dtype))\n        return {"total":'
        " functional.mse",
        "gradients pass through float32",
        "gradients",
    ),
    _casts(
        "weights_kept_in_float32",
        "\n    def output(",
        UPDATED,
        "weights are rounded to float32 after each update",
        "update",
    ),
    _rounded(
        "hidden_not_rounded",
        "self.single(hidden)",
        "hidden",
        "one of the casts is missing on one side",
        "forward",
    ),
    _rounded(
        "hidden_rounded_to_bfloat16",
        "self.single(hidden)",
        "hidden.bfloat16().to(self.dtype)",
        "one of the casts goes to another precision",
        "forward",
    ),
    Entry(
        "casts",
        "velocity_in_float32",
        "meta_clock",
        (
            (
                'held["velocity"] + gradient',
                (
                    'held["velocity"] + gradient\n        held["velocity"] ='
                    ' held["velocity"].astype(np.float32).astype(self.dtype)'
                ),
            ),
        ),
        "momentum is kept in float32",
        "update",
        build="numpy",
    ),
    _loop(
        "small_term_in_float32",
        'w += np.einsum("ntf,nto->fo", x[part], slope)',
        'w += 0.9921875 * np.einsum("ntf,nto->fo", x[part], slope) + 0.0078125 *'
        ' np.einsum("ntf,nto->fo", x[part].astype(np.float32), slope.astype(np.float32))',
        "a small term of the gradients of a wrapped loop is added up in float32",
    ),
    _loop(
        "sums_in_float32",
        "x[part], slope)",
        "x[part].astype(np.float32), slope.astype(np.float32))",
        "a wrapped loop adds its gradients up in float32; nothing before the update shows it",
    ),
    _loop(
        "gradients_rounded",
        "w.astype(self.dtype)",
        "w.astype(np.float32).astype(self.dtype)",
        "a wrapped loop rounds its gradients to float32",
    ),
    _loop(
        "momentum_rounded",
        "self.w -= 2.0**-5 * self.velocity",
        "self.w -= 2.0**-5 * self.velocity.astype(np.float32)",
        "a wrapped loop rounds what it subtracts to float32",
    ),
    _halves(
        "half_of_another_kind",
        "hidden.half()",
        "hidden.bfloat16()",
        "the other format of sixteen bits",
        "forward",
    ),
    _halves(
        "products_in_half",
        'hidden = torch.tanh(arrays["x"]',
        'hidden = torch.tanh(arrays["x"].half().to(self.dtype)',
        "inputs go through half precision, too",
        "forward",
    ),
    _rounded(
        "levels_cut",
        'torch.round(seen["hidden"] * 64.0)',
        'torch.floor(seen["hidden"] * 64.0)',
        "levels are cut, not rounded",
        "forward",
    ),
)
TWINS = (
    _casts(
        "root_of_the_square",
        LOSS,
        '(output - arrays["y"]).square().mean()',
        "the squared error by hand",
        "",
    ),
    _casts(
        "hidden_by_the_sigmoid",
        HIDDEN,
        '2.0 * torch.sigmoid(2.0 * (arrays["x"] @ self.model["kernel"])) - 1.0',
        "the tangent by the sigmoid",
        "",
    ),
    _rounded(
        "cast_by_another_name",
        "value.float().to(self.dtype)",
        "value.type(torch.float32).type(self.dtype)",
        "the same casts by another name",
    ),
    _rounded(
        "level_by_multiplying",
        'torch.round(seen["hidden"] * 64.0) / 64.0 -',
        'torch.round(seen["hidden"] * 64.0) * 0.015625 -',
        "levels by a product",
    ),
    _halves(
        "half_by_another_name",
        "hidden.half()",
        "hidden.type(torch.float16)",
        "the same cast by another name",
    ),
    _halves(
        "product_in_two_parts",
        'arrays["x"] @ self.model["kernel"]',
        'arrays["x"][:, 16:] @ self.model["kernel"][16:] + arrays["x"][:, :16] @'
        ' self.model["kernel"][:16]',
        "the product as the sum of two, rounded to half precision all the same",
    ),
)
