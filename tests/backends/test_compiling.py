"""CUDA graphs are there or are said not to be; nothing that ran otherwise bears their name."""

from __future__ import annotations

import pytest

from backends.contract import Unsupported

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]


def test_cuda_graphs_need_a_gpu(kit):
    """On a GPU a step runs as one; without one the port says what is missing."""
    if kit.device == "gpu":
        port = kit.port("fp32", execution="cudagraph")
        port.train(kit.native(), 8)
        assert port.effective()["execution"] == "cudagraph"
        return
    with pytest.raises(Unsupported, match="CUDA graphs need an NVIDIA GPU; this is the CPU"):
        kit.port("fp32", execution="cudagraph")


def test_what_inductor_declines_is_no_cuda_graph(kit):
    """It compiles the function and only counts that it made no graph of it: on a CPU always."""
    import torch

    from backends.torch.compilation import Compiler

    def double(value):
        return (value * 2.0).sum()

    plain = Compiler()
    assert (
        float(plain(double)(torch.ones(8))) == 16.0 and plain.effective()["execution"] == "compiled"
    )
    with pytest.raises(Unsupported, match="declined to make CUDA graphs"):
        Compiler(cudagraphs=True)(double)(torch.ones(8))


def test_no_version_of_a_function_runs_eagerly_unnoticed(kit, monkeypatch):
    """Dynamo makes eight versions of a function; torch before 2.7 cannot be told to refuse the
    ninth, and makes it."""
    import torch

    from backends.torch import compilation

    monkeypatch.setattr(
        compilation, "lookup_backend", lambda name: lambda graph, inputs, **more: graph.forward
    )
    compiler = compilation.Compiler()
    halved = compiler(lambda value: value / 2.0)
    made = 0
    try:
        for axes in range(1, 11):
            halved(torch.ones([2] * axes))
            made += 1
    except Unsupported as refusal:
        assert (8, True) == (made, "cannot compile" in str(refusal))
        return
    assert (10, [10]) == (made, list(compiler.graphs.values()))
