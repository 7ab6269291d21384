"""Students: small detectors that learn from the datasets that the teachers label."""

from autolabel.students.dataset import Dataset, LabelledPicture, read_dataset
from autolabel.students.detector import StudentDetector
from autolabel.students.distilling import Distilled, OnStep, distill, ignore_steps, missing_libraries
from autolabel.students.inference import StudentModel
from autolabel.students.options import DistillOptions
from autolabel.students.predicting import Predictions, predict
from autolabel.students.registry import Student, load_student
from autolabel.students.scoring import StudentFigures, find, measure

__all__ = [
    "Dataset",
    "DistillOptions",
    "Distilled",
    "LabelledPicture",
    "OnStep",
    "Predictions",
    "Student",
    "StudentDetector",
    "StudentFigures",
    "StudentModel",
    "distill",
    "find",
    "ignore_steps",
    "load_student",
    "measure",
    "missing_libraries",
    "predict",
    "read_dataset",
]
