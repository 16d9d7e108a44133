"""The data that the lessons look at."""

from igteach.datasets.digits import Digits, load_digits
from igteach.datasets.patients import Patients, load_patients
from igteach.datasets.photographs import PHOTOGRAPHS, load_photograph, open_picture
from igteach.datasets.scenes import SCENE_CLASSES, Scenes, make_scenes

__all__ = [
    "PHOTOGRAPHS",
    "SCENE_CLASSES",
    "Digits",
    "Patients",
    "Scenes",
    "load_digits",
    "load_patients",
    "load_photograph",
    "make_scenes",
    "open_picture",
]
