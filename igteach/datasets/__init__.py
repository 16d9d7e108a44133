"""The data that the lessons look at."""

from igteach.datasets.digits import Digits, load_digits

__all__ = ["Digits", "load_digits"]
