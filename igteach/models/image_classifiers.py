"""Image classifiers of Hugging Face, with all that they need to look at a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from igteach.core.devices import device as default_device
from igteach.core.functions import logit
from igteach.datasets.photographs import rgb

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, eq=False)
class Classifier:
    """An image classifier with all that it needs: model(preprocess(image)[None]) are the logits of a picture.

    Attributes:
        model: (N, 3, height, width) to (N, classes) logits.
        preprocess: from a PIL image or an array to (3, height, width), as the model takes it, on the CPU.
        labels: the names of the classes.
    """

    model: nn.Module
    preprocess: Callable[[Image.Image | np.ndarray], Tensor]
    labels: tuple[str, ...]


def from_pretrained(name_or_folder: str | Path, device: torch.device | str | None = None) -> Classifier:
    """Load an image classifier of Hugging Face.

    Only safetensors are read, and no code that comes with a model is run.

    Args:
        name_or_folder: a name on the hub, from which it is downloaded once, or a folder made by `save_pretrained`.
        device: where the model goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The classifier, its model in eval mode.

    Raises:
        ImportError: transformers is not installed.
        ValueError: there is no such classifier, or it has no trained weights.

    Example:
        >>> classifier = from_pretrained("google/vit-base-patch16-224")  # doctest: +SKIP
        >>> len(classifier.labels)  # doctest: +SKIP
        1000
    """
    try:
        from safetensors import SafetensorError
        from transformers import AutoImageProcessor, AutoModelForImageClassification
    except ImportError:
        raise ImportError("from_pretrained needs transformers: pip install transformers") from None
    name = str(name_or_folder)
    try:
        if Path(name).is_file():  # transformers would unpickle it
            raise ValueError("it is a file")
        processor = AutoImageProcessor.from_pretrained(name, backend="pil", trust_remote_code=False)
        network, loading = AutoModelForImageClassification.from_pretrained(
            name, use_safetensors=True, trust_remote_code=False, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ValueError(
            f"name_or_folder is {name!r}, which gives no image classifier; pass a folder made by save_pretrained, or "
            f"a name on huggingface.co (with a network): {error}"
        ) from None
    missing = sorted(loading["missing_keys"])
    if missing:
        raise ValueError(
            f"name_or_folder is {name!r}, which has no weights for {', '.join(missing)}: it cannot classify"
        )
    labels = network.config.id2label
    return Classifier(
        model=logit(network).to(default_device() if device is None else device).eval(),
        preprocess=lambda image: processor(rgb(image), return_tensors="pt")["pixel_values"][0],
        labels=tuple(labels[i] for i in range(len(labels))),
    )
