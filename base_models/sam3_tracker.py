"""The tracker of SAM 3: transformers' `Sam3TrackerVideoModel`, which tracks as SAM 2 does on the features of SAM 3.

It takes the checkpoints of SAM 3 as they are published, with detector and tracker in one file, and ones of its own.
"""

from transformers import Sam3TrackerVideoModel, Sam3TrackerVideoProcessor

from autolabel.base_models.sam2 import Sam2Relative
from autolabel.base_models.sam2_memory import attend, memorise
from autolabel.base_models.sam2_session import Steps
from autolabel.base_models.sam2_steps import encode_images_of_relative

__all__ = ["Sam3Tracker"]


class Sam3Tracker(Sam2Relative):
    """The tracker of a SAM 3 checkpoint (arXiv:2511.16719)."""

    model_class = Sam3TrackerVideoModel
    processor_class = Sam3TrackerVideoProcessor
    steps = Steps(encode_images_of_relative, memorise, attend)
