"""Students: small detectors that learn from the datasets that the teachers label."""

from autolabel.students.dataset import Dataset, LabelledPicture, read_dataset
from autolabel.students.distilling import Distilled, distill
from autolabel.students.options import DistillOptions
from autolabel.students.registry import STUDENTS, NamedStudent, Student, load_student
from autolabel.students.scoring import StudentFigures, find, measure

__all__ = [
    "STUDENTS",
    "Dataset",
    "DistillOptions",
    "Distilled",
    "LabelledPicture",
    "NamedStudent",
    "Student",
    "StudentFigures",
    "distill",
    "find",
    "load_student",
    "measure",
    "read_dataset",
]
