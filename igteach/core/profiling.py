"""What a call costs."""

from collections.abc import Callable
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile


def peak_bytes(work: Callable[[], Any], device: torch.device | str = "cpu") -> int:
    """The most bytes that tensors made by `work` occupied at once, by the allocator's own log.

    Args:
        work: A function without arguments.
        device: The CPU or a CUDA card.

    Returns:
        The peak, in bytes, above what was occupied before.

    Raises:
        ValueError: Another device, which keeps no such log.

    Example:
        >>> import torch
        >>> from igteach.core.profiling import peak_bytes
        >>> peak_bytes(lambda: torch.zeros(1000)) >= 4000
        True
    """
    device = torch.device(device)
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        work()
        return torch.cuda.max_memory_allocated(device) - before
    if device.type != "cpu":
        raise ValueError(f"device is {device}, whose allocator keeps no log; measure on the CPU")
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as log:
        answer = work()
    live = peak = 0
    for event in log.profiler.kineto_results.events():
        if event.name() == "[memory]":
            live += event.nbytes()
            peak = max(peak, live)
    del answer
    return peak
