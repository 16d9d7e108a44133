"""Whether an attribution tells the truth: against a mask, an intervention, other methods, and random parameters."""

from igteach.evaluate.agreement import agreement
from igteach.evaluate.controls import edges, random_gradients, random_numbers
from igteach.evaluate.curves import Curves, deletion, insertion, token_deletion, token_insertion
from igteach.evaluate.masks import interval, pointing_game, relevance_mass
from igteach.evaluate.randomisation import cascading_randomisation, randomised, randomised_maps

__all__ = [
    "Curves",
    "agreement",
    "cascading_randomisation",
    "deletion",
    "edges",
    "insertion",
    "interval",
    "pointing_game",
    "random_gradients",
    "random_numbers",
    "randomised",
    "randomised_maps",
    "relevance_mass",
    "token_deletion",
    "token_insertion",
]
