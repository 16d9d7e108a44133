"""Draws docs/first_look.png, the picture of the README."""

from pathlib import Path

import igteach
from igteach import show
from igteach.datasets import load_digits
from igteach.models import digits

score = igteach.probability(digits.load("cpu"))
picture = load_digits().x_test[3:4]
label = int(score(picture).argmax())
panels = {
    "gradient x ink": igteach.gradient_times_input(score, picture, target=label).values[0, 0],
    "Integrated Gradients": igteach.integrated_gradients(score, picture, target=label).values[0, 0],
}
show.heatmaps(panels, picture=picture[0, 0]).save(Path(__file__).with_suffix(".png"))
