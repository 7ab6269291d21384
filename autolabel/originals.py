"""The files that a run was labelled from, opened again when their pixels are needed."""

from collections.abc import Collection, Iterator
from pathlib import Path

from autolabel.errors import InputError, RunError
from autolabel.frames import Frame
from autolabel.images import ImageFolderInput
from autolabel.inputs import Input
from autolabel.labels import InputKind
from autolabel.store import InputIdentity, Run
from autolabel.video import VideoInput

__all__ = ["frames_of", "open_original", "original_frames"]


def open_original(run: Run, name: str) -> Input:
    """Open the input that was labelled under this name, all of its frames.

    Raises:
        RunError: It is not where it was, or not what it was.
    """
    record = run.record(name)
    try:
        original = _open(record.path, record.kind, record.identity, name)
        same = (original.size_bytes, original.sha256) == (record.identity.size_bytes, record.identity.sha256)
    except (InputError, OSError) as error:
        raise RunError(
            f"expected the input {name} at {record.path}, as seen from {Path.cwd()}, cannot read it there: {error}; "
            "put it back, or do without pictures"
        ) from error
    if not same:
        raise RunError(
            f"expected at {record.path} the input {name} as it was labelled, found other content; "
            "put the original back, or label it again"
        )
    return original


def original_frames(run: Run, name: str, frame_indices: Collection[int]) -> Iterator[Frame]:
    """Decode some frames of an input, in order.

    Raises:
        RunError: The input has moved or changed, or no longer gives one of the frames.
    """
    return frames_of(open_original(run, name), frame_indices)


def frames_of(original: Input, frame_indices: Collection[int]) -> Iterator[Frame]:
    """Decode some frames of an opened original from its beginning on, in order.

    Raises:
        RunError: It no longer gives one of the frames.
    """
    missing = set(frame_indices)
    reading = original.frames() if missing else iter(())
    while missing:
        frame = next(reading, None)
        if frame is None:
            raise RunError(
                f"expected frame {min(missing)} of the input {original.slug}, found that it can no longer be decoded; "
                "use the versions of PyAV and FFmpeg that it was labelled with"
            )
        if frame.frame_index in missing:
            missing.remove(frame.frame_index)
            yield frame


def _open(path: str, kind: InputKind, identity: InputIdentity, name: str) -> Input:
    if kind == InputKind.VIDEO:
        return VideoInput.open(path, stream=identity.stream, slug=name)
    folder = Path(path)
    return ImageFolderInput(folder, tuple(folder / file_name for file_name in identity.file_names), name)
