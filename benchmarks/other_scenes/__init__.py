"""The drawn world a second time, by code that shares no drawing with `autolabel.scenes`.

The embedded models were trained in the project's own drawn world; what they can do counts when it holds here too. Both
follow one description: eight colours, eight shapes, moving objects that hide each other, leave and come back, five
kinds of background, and pictures spoilt as cameras and codecs spoil them. Here shapes are signed distances, objects run
along closed curves, and pictures are spoilt by Pillow and libav.

This package is an `autolabel.scene_world.World`.
"""

from benchmarks.other_scenes.scenes import OtherVideo, draw_still, plan_video

__all__ = ["OtherVideo", "draw_still", "plan_video"]
