"""Layers that answer otherwise in training."""

from torch import nn


def check_modes(f: object) -> None:
    """A layer that behaves otherwise in training must not be in train mode."""
    for name, layer in f.named_modules() if isinstance(f, nn.Module) else ():
        minds = (
            isinstance(layer, nn.modules.batchnorm._BatchNorm | nn.RReLU)
            or (isinstance(layer, nn.modules.instancenorm._InstanceNorm) and layer.track_running_stats)
            or (isinstance(layer, nn.modules.dropout._DropoutNd) and layer.p > 0)
            or (isinstance(layer, nn.RNNBase | nn.MultiheadAttention) and layer.dropout > 0)
        )
        if layer.training and minds:
            which = f"{name or 'itself'!r} ({type(layer).__name__})"
            raise ValueError(f"f is in train mode, and its layer {which} answers differently there; call .eval() on f")
