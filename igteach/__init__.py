"""igteach: from the naive gradient to Integrated Gradients, with answers that carry their own error."""

from igteach.attribution import Attribution
from igteach.beyond.conductance import neuron_conductance
from igteach.beyond.guided import guided_integrated_gradients
from igteach.beyond.shapley import shapley_values
from igteach.beyond.sums import added
from igteach.beyond.trees import tree_integrated_gradients, tree_shapley_values
from igteach.devices import device
from igteach.exact import exact_integrated_gradients
from igteach.expected import average_integrated_gradients, expected_gradients
from igteach.gradients import gradient, gradient_times_input, smoothgrad
from igteach.integrated import integrated_gradients, path_gradients
from igteach.models.scalars import toy
from igteach.scores import logit, probability
from igteach.tokens import token_attribution

__all__ = ["Attribution", "average_integrated_gradients", "device", "exact_integrated_gradients", "expected_gradients"]
__all__ += ["gradient", "gradient_times_input", "integrated_gradients", "logit", "path_gradients", "probability"]
__all__ += ["smoothgrad", "token_attribution", "toy"]
__all__ += ["added", "guided_integrated_gradients", "neuron_conductance", "shapley_values"]
__all__ += ["tree_integrated_gradients", "tree_shapley_values"]
__version__ = "0.1.0"
