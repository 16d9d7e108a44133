"""Deletion and insertion are Quantus' pixel flipping, on random networks and maps."""

import numpy as np
import pytest
import torch
from torch import nn

from igteach import logit
from igteach.evaluate import deletion, insertion

quantus = pytest.importorskip("quantus", reason="needs quantus: pip install quantus", exc_type=ImportError)

STEPS = 6  # of the 36 features, 6 at a time: Quantus' curve begins after the first six


def drawn(seed):
    """A network, a batch of series, a map without ties, and the classes."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.Tanh(), nn.Linear(8, 3)).eval()
    x, values = torch.randn(2, 4, 2, 18)
    return model, x, values, torch.randint(0, 3, (4,))


def flipping(model, start, end, values, target):
    """The scores of each example while its places, the most important first, turn from start to end."""
    shape = (len(start), -1)

    def exchange(arr, indices, **_):
        changed = arr.copy()
        np.put_along_axis(changed, indices, np.take_along_axis(end.numpy().reshape(shape), indices, 1), 1)
        return changed

    metric = quantus.PixelFlipping(
        features_in_step=36 // STEPS,
        normalise=False,
        perturb_func=exchange,
        disable_warnings=True,
    )
    given = {"x_batch": start.numpy(), "y_batch": target.numpy(), "a_batch": values.numpy()}
    return torch.tensor(metric(model=model, **given, softmax=False, channel_first=True, device="cpu"))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("curve", [deletion, insertion])
def test_curves_are_quantus_pixel_flipping(curve, seed):
    model, x, values, target = drawn(seed)
    reference = torch.randn(1, 2, 18).expand_as(x)
    ours = curve(logit(model), x, values, reference, target, steps=STEPS)
    start, end = (x, reference) if curve is deletion else (reference, x)
    theirs = flipping(model, start, end, values, target)
    torch.testing.assert_close(ours.values[:, 1:], theirs.to(ours.values), rtol=1e-5, atol=1e-5)
    first = model(start)[torch.arange(len(x)), target].detach()
    torch.testing.assert_close(ours.values[:, 0], first)
