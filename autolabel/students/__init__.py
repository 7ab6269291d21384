"""Students: small detectors that learn from the datasets that the teachers label."""

from autolabel.students.dataset import Dataset, LabelledPicture, read_dataset
from autolabel.students.distilling import Distilled, distill
from autolabel.students.inference import StudentDetector, StudentModel
from autolabel.students.options import DistillOptions
from autolabel.students.predicting import Predictions, predict
from autolabel.students.registry import STUDENTS, NamedStudent, Student, load_student
from autolabel.students.scoring import StudentFigures, find, measure

__all__ = [
    "STUDENTS",
    "Dataset",
    "DistillOptions",
    "Distilled",
    "LabelledPicture",
    "NamedStudent",
    "Predictions",
    "Student",
    "StudentDetector",
    "StudentFigures",
    "StudentModel",
    "distill",
    "find",
    "load_student",
    "measure",
    "predict",
    "read_dataset",
]
