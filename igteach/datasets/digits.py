"""Handwritten digits: real scans, 8 by 8 pixels, that come with scikit-learn."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Digits:
    """Scanned digits, four fifths to learn from and one fifth held out.

    x_train, x_test  (N, 1, 8, 8) float32: ink from 0 (black, no ink) to 1
    y_train, y_test  (N,) int64: the digit, 0 to 9
    """

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor


def load_digits() -> Digits:
    """The 1,797 digits of scikit-learn, always split in the same way.

    Raises ImportError where scikit-learn is not installed.
    Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI repository, CC BY 4.0.
    """
    try:
        from sklearn import datasets
    except ImportError:
        raise ImportError("load_digits needs scikit-learn: pip install scikit-learn") from None
    bunch = datasets.load_digits()
    x = torch.from_numpy(bunch.images.astype(np.float32) / 16).unsqueeze(1)
    return Digits(*hold_out_fifth(x, torch.from_numpy(bunch.target.astype(np.int64))))


def hold_out_fifth(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x and y without a fifth of their rows, then that fifth; every class gives its share, and always the same rows.

    x (N, ...), y (N,) classes. Returns x_kept, y_kept, x_held_out, y_held_out.
    """
    from sklearn.model_selection import train_test_split

    kept, held_out = train_test_split(np.arange(len(y)), test_size=0.2, stratify=y.numpy(), random_state=0)
    return x[kept], y[kept], x[held_out], y[held_out]
