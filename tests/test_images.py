"""Still images of every common kind are read upright, in RGB, one by one."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from autolabel.errors import InputError
from autolabel.frames import BACKGROUND
from autolabel.images import ImageFolderInput, read_image


def picture(size_wh: tuple[int, int] = (32, 24)) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (size_wh[1], size_wh[0], 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("suffix", "options"), [(".png", {}), (".bmp", {}), (".webp", {"lossless": True}), (".tif", {}), (".tiff", {})]
)
def test_lossless_formats_are_exact(tmp_path: Path, suffix: str, options: dict[str, Any]) -> None:
    """Pixels come back as they were stored."""
    Image.fromarray(picture()).save(tmp_path / f"a{suffix}", **options)
    image = read_image(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(image, picture())
    assert image.flags.writeable  # so that it can be shared with torch


def test_jpeg_equals_pillow(tmp_path: Path) -> None:
    """A JPEG gives what Pillow gives, which trainers use."""
    Image.fromarray(picture()).save(tmp_path / "a.jpg")
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), np.asarray(Image.open(tmp_path / "a.jpg")))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_exif_orientation(tmp_path: Path, orientation: int, suffix: str) -> None:
    """All eight orientations are honoured."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(picture()).save(tmp_path / f"a{suffix}", exif=exif)
    expected = ImageOps.exif_transpose(Image.open(tmp_path / f"a{suffix}"))
    image = read_image(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(image, np.asarray(expected))
    assert image.shape == ((24, 32, 3) if orientation < 5 else (32, 24, 3))


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "LAB"])
def test_colour_modes_equal_pillow(tmp_path: Path, mode: str) -> None:
    """Grey, palette and print colours become the RGB that Pillow makes of them."""
    stored = Image.fromarray(picture()).convert(mode)
    stored.save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), np.asarray(stored.convert("RGB")))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_transparency_is_laid_over_grey(tmp_path: Path, mode: str) -> None:
    """Transparent parts show grey, opaque ones their colour, in every way a PNG stores transparency."""
    rgba = np.full((8, 8, 4), 255, dtype=np.uint8)
    rgba[:, :4] = 0
    options: dict[str, Any] = {}
    stored = Image.fromarray(rgba).convert(mode)
    if mode == "P":
        stored = Image.fromarray(rgba[..., 3] // 255)
        stored.putpalette([0, 0, 0, 255, 255, 255])
        options = {"transparency": 0}
    stored.save(tmp_path / "a.png", **options)
    image = read_image(tmp_path / "a.png")
    assert image[0, 0].tolist() == [BACKGROUND] * 3
    assert image[0, 7].tolist() == [255] * 3


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits(tmp_path: Path, suffix: str, channels: int) -> None:
    """The full 16-bit range is scaled to 8 bits; nothing is clipped."""
    stored = np.linspace(0, 65535, 32 * 24 * channels).reshape(24, 32, channels).astype(np.uint16)
    cv2.imwrite(str(tmp_path / f"a{suffix}"), stored[..., ::-1] if channels == 3 else stored)
    image = read_image(tmp_path / f"a{suffix}").astype(float)
    assert np.abs(image - stored / 257).max() <= 1
    assert (image.min(), image.max()) == (0, 255)


def test_first_picture_of_many(tmp_path: Path) -> None:
    """Of an animation, the first picture is taken."""
    first, second = Image.fromarray(picture()), Image.new("RGB", (32, 24))
    first.save(tmp_path / "a.webp", save_all=True, append_images=[second], lossless=True)
    np.testing.assert_array_equal(read_image(tmp_path / "a.webp"), picture())


def damage(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / f"{kind}.png"
    Image.fromarray(picture()).save(path)
    data = path.read_bytes()
    content = {
        "empty": b"",
        "text": b"no picture",
        "cut off": data[:300],
        "garbage": data[:60] + bytes(200) + data[260:],
    }
    if kind == "missing":
        path.unlink()
    elif kind == "float":
        path = tmp_path / "float.tiff"
        cv2.imwrite(str(path), np.zeros((4, 4), np.float32))
    else:
        path.write_bytes(content[kind])
    return path


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "cut off", "garbage", "float"])
def test_unreadable_images_are_refused(tmp_path: Path, kind: str) -> None:
    """Whatever is wrong with an image, the answer is one sentence that names it."""
    path = damage(tmp_path, kind)
    with pytest.raises(InputError) as caught:
        read_image(path)
    assert str(caught.value).startswith(f"{path}: expected an image")


@given(data=st.data())
def test_any_damage_is_an_input_error(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A file damaged anywhere gives a picture or an `InputError`, never another exception."""
    suffix = data.draw(st.sampled_from([".png", ".jpg", ".bmp", ".webp", ".tif"]))
    path = tmp_path_factory.mktemp("damage") / f"a{suffix}"
    Image.fromarray(picture()).save(path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        image = read_image(path)
    except InputError:
        return
    assert (image.dtype.name, image.ndim, image.shape[2]) == ("uint8", 3, 3)


def folder_of(tmp_path: Path, *sizes_wh: tuple[int, int]) -> ImageFolderInput:
    files = [tmp_path / "sub" / f"{index}.png" for index in range(len(sizes_wh))]
    (tmp_path / "sub").mkdir()
    for file, size_wh in zip(files, sizes_wh, strict=True):
        Image.fromarray(picture(size_wh)).save(file)
    return ImageFolderInput.open(tmp_path, files)


def test_folder_gives_its_images_by_name(tmp_path: Path) -> None:
    """Images of different sizes come with their names, without times."""
    frames = list(folder_of(tmp_path, (32, 24), (10, 50)).frames())
    assert [(f.frame_index, f.file_name, f.pts, f.pts_s) for f in frames] == [
        (0, "sub/0.png", None, None),
        (1, "sub/1.png", None, None),
    ]
    assert [frame.image.shape for frame in frames] == [(24, 32, 3), (50, 10, 3)]


def test_unreadable_image_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    """One bad image costs only itself and keeps its number."""
    images = folder_of(tmp_path, (8, 8), (8, 8), (8, 8))
    images.files[1].write_bytes(b"no picture")
    reading = images.frames()
    assert [frame.frame_index for frame in reading] == [0, 2]
    assert reading.problems == [
        f"{images.files[1]}: expected an image, found what cannot be read as one (unknown format); replace it."
    ]


def test_folder_without_a_readable_image_is_refused(tmp_path: Path) -> None:
    """When not one image can be read, there is no input."""
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    for file in files:
        file.write_bytes(b"no picture")
    with pytest.raises(InputError, match="2 files none of which"):
        ImageFolderInput.open(tmp_path, files)


def test_identity_covers_names_and_contents(tmp_path: Path) -> None:
    """The digest changes when an image changes or is renamed, and only then."""
    images = folder_of(tmp_path, (8, 8), (9, 9))
    again = ImageFolderInput.open(tmp_path, images.files)
    assert images.sha256 == again.sha256
    assert images.size_bytes == sum(file.stat().st_size for file in images.files)
    renamed = images.files[1].rename(tmp_path / "other.png")
    assert ImageFolderInput.open(tmp_path, [images.files[0], renamed]).sha256 != images.sha256
