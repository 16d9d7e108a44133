"""Patients with a lump in the breast: thirty measurements of cell nuclei each, that come with scikit-learn."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from igteach.datasets.digits import hold_out_fifth


@dataclass(frozen=True, eq=False)
class Patients:
    """Patients, four fifths to learn from and one fifth held out.

    x_train, x_test  (N, 30) float32: the measurements as they were taken, not standardised
    y_train, y_test  (N,) int64: 1 is malignant, 0 is benign (scikit-learn's own `target` has it the other way round)
    names            of the 30 measurements: ten of them as "mean", "error" (standard error) and "worst" (the mean of
                     the three largest) over the nuclei of one image
    """

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    names: tuple[str, ...]


def load_patients() -> Patients:
    """The 569 patients of scikit-learn's breast-cancer table, always split in the same way.

    Raises ImportError where scikit-learn is not installed.
    Source: Wolberg, Mangasarian, Street and Street (1993), Breast Cancer Wisconsin (Diagnostic), UCI repository,
    CC BY 4.0.
    """
    try:
        from sklearn import datasets
    except ImportError:
        raise ImportError("load_patients needs scikit-learn: pip install scikit-learn") from None
    bunch = datasets.load_breast_cancer()
    x = torch.from_numpy(bunch.data.astype(np.float32))
    malignant = torch.from_numpy((bunch.target == 0).astype(np.int64))
    return Patients(*hold_out_fifth(x, malignant), names=tuple(map(str, bunch.feature_names)))
