"""Which objects of a drawn scene count: not the slivers that nobody could find."""

from dataclasses import replace

from autolabel.labels import Masklet, VideoLabels

__all__ = ["counted"]


def counted(truth: VideoLabels, *, min_pixels: int = 30, min_share: float = 0.2) -> VideoLabels:
    """Keep an object only on the frames on which enough of it is visible.

    Args:
        truth: True labels of one clip.
        min_pixels: Smallest area of a visible mask, in pixels.
        min_share: Smallest share of the object's largest visible area in the clip.

    Returns:
        The same clip; its frames are all there, objects that count nowhere are gone.
    """
    masklets = (_counted_masklet(masklet, min_pixels, min_share) for masklet in truth.masklets)
    return replace(truth, masklets=tuple(masklet for masklet in masklets if masklet.rles))


def _counted_masklet(masklet: Masklet, min_pixels: int, min_share: float) -> Masklet:
    areas = masklet.areas  # (N,)
    return masklet.where(areas >= max(min_pixels, min_share * areas.max(initial=0)))
