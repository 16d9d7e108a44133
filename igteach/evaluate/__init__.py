"""Whether an attribution tells the truth: against a mask, an intervention, other methods, and random parameters."""

from igteach.evaluate.agreement import agreement
from igteach.evaluate.controls import edges, random_numbers, random_slopes
from igteach.evaluate.curves import Curves, deletion, insertion, token_deletion, token_insertion
from igteach.evaluate.masks import interval, pointing_game, share_inside
from igteach.evaluate.randomisation import cascade, randomised_maps

__all__ = ["Curves", "agreement", "cascade", "deletion", "edges", "insertion", "interval", "pointing_game"]
__all__ += ["random_numbers", "random_slopes", "randomised_maps", "share_inside", "token_deletion", "token_insertion"]
