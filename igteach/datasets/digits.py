"""Handwritten digits: real scans, 8 by 8 pixels, that come with scikit-learn."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Digits:
    """Scanned digits, four fifths to learn from and one fifth held out.

    Attributes:
        x_train, x_test: (N, 1, 8, 8) float32, ink from 0 (black, no ink) to 1.
        y_train, y_test: (N,) int64, the digit, 0 to 9.
    """

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor


def load_digits() -> Digits:
    """Load the 1,797 handwritten digits that come with scikit-learn, always split in the same way.

    Returns:
        1,437 digits to learn from and 360 held out, with each digit in proportion.

    Raises:
        ImportError: scikit-learn is not installed.

    Example:
        >>> digits = load_digits()
        >>> digits.x_train.shape, digits.x_test.shape
        (torch.Size([1437, 1, 8, 8]), torch.Size([360, 1, 8, 8]))

    Source:
        E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
        CC BY 4.0, https://doi.org/10.24432/C50P49
    """
    try:
        from sklearn import datasets
    except ImportError:
        raise ImportError("load_digits needs scikit-learn: pip install scikit-learn") from None
    bunch = datasets.load_digits()
    x = torch.from_numpy(bunch.images.astype(np.float32) / 16).unsqueeze(1)
    return Digits(*hold_out_fifth(x, torch.from_numpy(bunch.target.astype(np.int64))))


def hold_out_fifth(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Split examples into four fifths to learn from and one fifth held out, stratified by class, always the same.

    Args:
        x: (N, ...), the examples.
        y: (N,), their classes.

    Returns:
        x_train, y_train, x_test and y_test.

    Example:
        >>> x, y = torch.arange(10.0), torch.tensor([0, 1] * 5)
        >>> _, _, x_test, y_test = hold_out_fifth(x, y)
        >>> len(x_test), sorted(y_test.tolist())
        (2, [0, 1])
    """
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(np.arange(len(y)), test_size=0.2, stratify=y.numpy(), random_state=0)
    return x[train], y[train], x[test], y[test]
