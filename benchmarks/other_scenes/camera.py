"""How pictures of the second drawn world are spoilt: blur, brightness, sensor noise, JPEG and H.264."""

import io
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

__all__ = ["Camera", "choose_camera", "spoil"]

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Camera:
    """How the pictures of one still or video are spoilt.

    Attributes:
        noise: Standard deviation of the sensor's noise, white being 1.
        gain: Factor of brightness.
        blur: Standard deviation in pixels.
        codec: "none", "jpeg" or "h264".
        quality: JPEG's quality, or H.264's rate factor, where less is better.
    """

    noise: float
    gain: float
    blur: float
    codec: str
    quality: int


def choose_camera(random: Generator) -> Camera:
    """Choose by what to spoil; each is absent now and then."""
    codec = str(random.choice(["none", "jpeg", "h264"]))
    return Camera(
        noise=random.uniform(0, 0.03) if random.random() < 0.5 else 0.0,
        gain=random.uniform(0.75, 1.2) if random.random() < 0.5 else 1.0,
        blur=random.uniform(0, 1) if random.random() < 0.5 else 0.0,
        codec=codec,
        quality=int(random.integers(40, 95) if codec == "jpeg" else random.integers(18, 34)),
    )


def spoil(random: Generator, picture: NDArray[np.float64], camera: Camera) -> Picture:
    """Spoil a picture, RGB from 0 to 1, shape ``(H, W, 3)``; returns RGB uint8."""
    picture = gaussian_filter(camera.gain * picture, (camera.blur, camera.blur, 0))
    picture = picture + random.normal(0, camera.noise, picture.shape)
    image = np.clip(255 * picture + 0.5, 0, 255).astype(np.uint8)
    if camera.codec == "jpeg":
        return _through_jpeg(image, camera.quality)
    return _through_h264(image, camera.quality) if camera.codec == "h264" else image


def _through_jpeg(image: Picture, quality: int) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def _through_h264(image: Picture, rate_factor: int) -> Picture:
    """Encode a picture as a video of one frame, and decode it."""
    height, width = image.shape[:2]
    even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")  # 4:2:0 knows even sizes only
    encoder = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width, encoder.pix_fmt = *even.shape[:2], "yuv420p"
    encoder.time_base, encoder.thread_count = Fraction(1, 24), 1
    encoder.options = {"crf": str(rate_factor), "preset": "veryfast"}
    packets = [*encoder.encode(av.VideoFrame.from_ndarray(even)), *encoder.encode(None)]
    decoder = av.CodecContext.create("h264", "r")
    [frame] = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    decoded = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    return decoded[:height, :width]
