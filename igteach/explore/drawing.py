"""A digit to draw: the course's network and its Integrated Gradients run where it is drawn."""

import base64

import torch
from torch import Tensor

from igteach import show
from igteach.core.functions import probability
from igteach.explore.live import LiveFigure
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.models.digits import DigitsCNN

STEPS = 64  # as digits_network.js takes them


def draw_digit(model: DigitsCNN, picture: Tensor) -> LiveFigure:
    """Draw a digit of 8 by 8 pixels: the network says which it is, and IG from black which pixels made it say so.

    The page computes all of it, at every stroke; the network's weights travel with the figure, about 65 kB.

    Args:
        model: as `igteach.models.digits.load` gives it.
        picture: (1, 1, 8, 8) with ink in [0, 1], a digit to begin with.

    Returns:
        The figure, which a notebook and a page show.

    Raises:
        TypeError: the model is not a DigitsCNN.
        ValueError: picture is not one picture of 8 by 8 in [0, 1].

    Example:
        >>> from igteach.datasets import load_digits
        >>> from igteach.models import digits
        >>> draw_digit(digits.load("cpu"), load_digits().x_test[3:4])
        LiveFigure: ...IG from black...
    """
    if not isinstance(model, DigitsCNN):
        raise TypeError(f"model is {type(model).__name__}; pass the network of igteach.models.digits.load()")
    if picture.shape != (1, 1, 8, 8) or picture.min() < 0 or picture.max() > 1:
        raise ValueError(f"picture has shape {tuple(picture.shape)}; pass (1, 1, 8, 8) with ink in [0, 1]")
    parameters = torch.cat([each.detach().cpu().float().flatten() for each in model.parameters()])
    data = {
        "weights": base64.b64encode(parameters.numpy().astype("<f4").tobytes()).decode(),
        "picture": [round(ink, 4) for ink in picture.flatten().tolist()],
    }
    return LiveFigure("draw_digit", data, _still(model, picture))


def _still(model: DigitsCNN, picture: Tensor) -> show.Figure:
    f = probability(model)
    label = int(f(picture)[0].argmax())
    shares = integrated_gradients(f, picture, torch.zeros_like(picture), label, steps=STEPS).values
    title = f"IG from black, for P({label})"
    return show.heatmaps({title: shares[0, 0]}, picture=picture[0, 0], unit=f"share of F, the probability of {label}")
