"""Patients with a lump in the breast: thirty measurements of cell nuclei each, that come with scikit-learn."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from igteach.datasets.digits import hold_out_fifth


@dataclass(frozen=True, eq=False)
class Patients:
    """Patients, four fifths to learn from and one fifth held out.

    Attributes:
        x_train, x_test: (N, 30) float32, the measurements in their own units, not standardised.
        y_train, y_test: (N,) int64, 1 for malignant and 0 for benign; scikit-learn's own `target` is the opposite.
        names: of the 30 measurements. There are ten, each as "mean", "error" (standard error) and "worst" (the mean
            of the three largest) over the nuclei of one image.
    """

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    names: tuple[str, ...]


def load_patients() -> Patients:
    """Load the 569 patients of the breast-cancer table that comes with scikit-learn, always split in the same way.

    Returns:
        455 patients to learn from and 114 held out, with both diagnoses in proportion.

    Raises:
        ImportError: scikit-learn is not installed.

    Example:
        >>> patients = load_patients()
        >>> patients.x_train.shape, patients.names[0]
        (torch.Size([455, 30]), 'mean radius')

    Source:
        W. Wolberg, O. Mangasarian, N. Street and W. Street (1993), Breast Cancer Wisconsin (Diagnostic), UCI Machine
        Learning Repository, CC BY 4.0, https://doi.org/10.24432/C5DW2B
    """
    try:
        from sklearn import datasets
    except ImportError:
        raise ImportError("load_patients needs scikit-learn: pip install scikit-learn") from None
    bunch = datasets.load_breast_cancer()
    x = torch.from_numpy(bunch.data.astype(np.float32))
    malignant = torch.from_numpy((bunch.target == 0).astype(np.int64))
    return Patients(*hold_out_fifth(x, malignant), names=tuple(map(str, bunch.feature_names)))
