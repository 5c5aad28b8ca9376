"""The adapter for `nn.Module`s: `Side`, which the port of a pair stands on."""

from backends.torch.adapter.side import Side

__all__ = ["Side"]
