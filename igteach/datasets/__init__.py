"""The data that the lessons look at."""

from igteach.datasets.digits import Digits, load_digits
from igteach.datasets.patients import Patients, load_patients

__all__ = ["Digits", "Patients", "load_digits", "load_patients"]
