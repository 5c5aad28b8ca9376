"""Complex activations: what is wrong with the imaginary part alone, with the phase or with the
transform's norm."""

from __future__ import annotations

from tests.evaluation.metamorphic.entry import Entry


def _spectrum(name: str, old: str, new: str, what: str, stage: str = "") -> Entry:
    return Entry("complex", name, "meta_spectrum", ((old, new),), what, stage)


RFFT, FILTER = 'torch.fft.rfft(arrays["x"])', 'torch.complex(w["real"], w["imaginary"])'

MUTANTS = (
    _spectrum(
        "filter_conjugated",
        FILTER,
        f"{FILTER}.conj()",
        "the filter's imaginary part has the other sign",
        "forward",
    ),
    _spectrum(
        "spectrum_conjugated",
        RFFT,
        f"{RFFT}.conj()",
        "the transform with the other sign in its exponent",
        "forward",
    ),
    _spectrum(
        "transform_with_a_norm",
        RFFT,
        'torch.fft.rfft(arrays["x"], norm="ortho")',
        "the transform is scaled by its root",
        "forward",
    ),
    _spectrum(
        "phase_shifted",
        RFFT,
        'torch.fft.rfft(arrays["x"].roll(1, 1))',
        "the signal begins one place later: the same size, another phase",
        "forward",
    ),
    _spectrum(
        "parts_swapped",
        FILTER,
        'torch.complex(w["imaginary"], w["real"])',
        "the filter's parts are swapped",
        "forward",
    ),
    _spectrum(
        "imaginary_part_lost",
        RFFT,
        f"{RFFT}.real + 0j",
        "the spectrum keeps its real part alone",
        "forward",
    ),
    _spectrum(
        "back_with_a_norm",
        'seen["filtered"], 8)',
        'seen["filtered"], 8, norm="forward")',
        "the transform back is not divided",
        "forward",
    ),
)
TWINS = (
    _spectrum(
        "conjugate_view",
        RFFT,
        'torch.fft.ihfft(arrays["x"]).conj() * 8.0',
        "the transform as a conjugate view of another",
    ),
    _spectrum(
        "whole_transform",
        RFFT,
        'torch.fft.fft(arrays["x"])[:, :5]',
        "the first half of the whole transform",
    ),
    _spectrum(
        "filtered_twice_conjugated",
        FILTER,
        'torch.complex(w["real"], -w["imaginary"]).conj()',
        "the conjugate of the conjugated filter",
    ),
    _spectrum(
        "filter_from_a_view",
        FILTER,
        'torch.view_as_complex(torch.stack([w["real"], w["imaginary"]], 1))',
        "complex numbers as a view of pairs",
    ),
)
