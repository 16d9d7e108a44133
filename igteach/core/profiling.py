"""What a call costs."""

from collections.abc import Callable
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile


def peak_bytes(work: Callable[[], Any], device: torch.device | str = "cpu") -> int:
    """The most bytes on a device, the CPU or a CUDA card, that tensors made by `work` occupied at once.

    By the allocator's own log. Raises ValueError for another device, which has no such log.
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
