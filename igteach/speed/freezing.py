"""Parameters that need no gradient for a while."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

_LOCK, _FROZEN = threading.Lock(), Counter[nn.Parameter]()  # how many calls of `frozen` hold a parameter


@contextmanager
def frozen(f: object) -> Iterator[None]:
    """The parameters of f need no gradient in here, so that autograd keeps no activations for them; then as before.

    Several threads may be in here with one model at once; one that trains it must not run beside them.
    """
    mine = set[nn.Parameter]()
    try:
        for parameter in f.parameters() if isinstance(f, nn.Module) else ():
            with _LOCK:
                if parameter not in mine and (parameter.requires_grad or parameter in _FROZEN):
                    _FROZEN[parameter] += 1
                    mine.add(parameter)
                    parameter.requires_grad_(False)
        yield
    finally:
        with _LOCK:
            for parameter in mine:
                _FROZEN[parameter] -= 1
                if not _FROZEN[parameter]:
                    del _FROZEN[parameter]
                    parameter.requires_grad_()
