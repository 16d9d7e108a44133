"""igteach: from the naive gradient to Integrated Gradients, with answers that carry their own error."""

from igteach.attribution import Attribution
from igteach.devices import device
from igteach.gradients import gradient, gradient_times_input
from igteach.integrated import integrated_gradients
from igteach.scores import logit, probability, toy

__all__ = [
    "Attribution",
    "device",
    "gradient",
    "gradient_times_input",
    "integrated_gradients",
    "logit",
    "probability",
    "toy",
]
__version__ = "0.1.0"
