"""The data that the lessons look at."""

from igteach.datasets.digits import Digits, load_digits
from igteach.datasets.patients import Patients, load_patients
from igteach.datasets.photographs import PHOTOGRAPHS, load_photograph, open_picture

__all__ = ["PHOTOGRAPHS", "Digits", "Patients", "load_digits", "load_patients", "load_photograph", "open_picture"]
