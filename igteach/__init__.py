# ruff: noqa: F401
"""igteach: from the naive gradient to Integrated Gradients, with answers that carry their own error.

The names below are loaded when they are first used, so that a command that needs no PyTorch does not wait for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from igteach import axioms, evaluate, explore, show
    from igteach.core import groups
    from igteach.core.attribution import Attribution
    from igteach.core.devices import device
    from igteach.core.functions import logit, probability, toy
    from igteach.methods import baselines, captum_methods
    from igteach.methods.conductance import neuron_conductance
    from igteach.methods.exact import exact_integrated_gradients
    from igteach.methods.expected_gradients import average_integrated_gradients, expected_gradients
    from igteach.methods.gradients import gradient, gradient_times_input, smoothgrad
    from igteach.methods.guided import guided_integrated_gradients
    from igteach.methods.integrated_gradients import integrated_gradients, path_gradients
    from igteach.methods.layer import layer_integrated_gradients
    from igteach.methods.shapley import shapley_values
    from igteach.methods.sums import sum_attributions
    from igteach.methods.token_attribution import token_attribution
    from igteach.methods.trees import tree_integrated_gradients, tree_shapley_values
    from igteach.reports.report import write_report

__version__ = "0.1.0"

_MODULE_OF = {
    "Attribution": "core.attribution",
    "sum_attributions": "methods.sums",
    "average_integrated_gradients": "methods.expected_gradients",
    "device": "core.devices",
    "exact_integrated_gradients": "methods.exact",
    "expected_gradients": "methods.expected_gradients",
    "gradient": "methods.gradients",
    "gradient_times_input": "methods.gradients",
    "guided_integrated_gradients": "methods.guided",
    "integrated_gradients": "methods.integrated_gradients",
    "layer_integrated_gradients": "methods.layer",
    "logit": "core.functions",
    "neuron_conductance": "methods.conductance",
    "path_gradients": "methods.integrated_gradients",
    "probability": "core.functions",
    "shapley_values": "methods.shapley",
    "smoothgrad": "methods.gradients",
    "token_attribution": "methods.token_attribution",
    "toy": "core.functions",
    "tree_integrated_gradients": "methods.trees",
    "tree_shapley_values": "methods.trees",
    "write_report": "reports.report",
}
_MODULES = {
    "axioms": "axioms",
    "baselines": "methods.baselines",
    "captum_methods": "methods.captum_methods",
    "evaluate": "evaluate",
    "explore": "explore",
    "groups": "core.groups",
    "show": "show",
}

__all__ = [*_MODULE_OF, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"igteach.{_MODULES[name]}")
    if name in _MODULE_OF:
        return getattr(import_module(f"igteach.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'igteach' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
