"""A detector that fails, as third parties' do."""

from collections.abc import Sequence

import supervision as sv
from plugin_detector import FindsNothing

from autolabel.base_models.protocols import Image


class FailsOnce(FindsNothing):
    """Fails on the first picture that it sees."""

    failed = False

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Fail, or find nothing."""
        if not self.failed:
            self.failed = True
            raise ValueError("a model's own trouble")
        return super().detect(images)
